# Time stamps of an outside authority
anchor-title = Time stamps
anchor-crumbs = Where this page is
anchor-under = An outside authority certifies that a signed checkpoint, and with it every entry under it, was there at an instant
anchor-now = Stamp now
anchor-covered = Covered
anchor-all-covered = Every signed entry is covered.
anchor-uncovered =
    { $n ->
        [one] One of { $signed } signed entries is not covered yet.
       *[other] { $n } of { $signed } signed entries are not covered yet.
    }
anchor-often = How often
anchor-hourly = Every hour, where something was written
anchor-daily = Every day, where something was written
anchor-never = No authority is configured. IT names one with tsa_url and tsa_chain; existing stamps stay valid.
anchor-trouble = Last attempt
anchor-trouble-since = Since { $since }; asked again from { $again } on. Nobody waits for it.
anchor-stamps = Stamps
anchor-col-range = Entries
anchor-col-at = Instant
anchor-col-authority = Authority
anchor-col-serial = Serial number
anchor-col-files = Files
anchor-epoch = (epoch { $n })
anchor-clock-ahead = The host’s clock was { $seconds } s ahead of it.
anchor-clock-behind = The host’s clock was { $seconds } s behind it.
anchor-none = No checkpoint has been stamped yet
anchor-check = Check it without us
anchor-check-how = Take the three files of a line and run this with any OpenSSL; it answers “Verification: OK”. One changed byte and it does not.
anchor-check-later = Once the authority’s certificate has run out, add -attime with the stamp’s instant.
notice-anchor-made = The newest checkpoint was stamped.
problem-no-authority = No time-stamping authority is configured
    .detail = IT names one with tsa_url and tsa_chain, then starts the service again.
problem-nothing-to-anchor = Nothing new to be stamped
    .detail = Nothing was written since the last time stamp.
problem-anchored = This checkpoint has a time stamp
    .detail = The checkpoint over { $entries } entries was stamped already.
problem-tsa-away = The time-stamping authority does not answer
    .detail = No time stamp was kept. The service goes on, and asks again.
problem-tsa-refused = The authority’s answer is not to be believed
    .detail = It refused, or its time stamp is not over our checkpoint, or is not signed under the configured certificates; none was kept. The log has the cause.
problem-anchor-file-differs = There is another file of this name
    .detail = { $file } is not what would be written; nothing is overwritten. Choose an empty folder.
field-tsa-url = Begins with http:// or https://.
field-tsa-every = hourly or daily.
field-tsa-policy = An object identifier such as 1.3.6.1.4.1.13762.3.
field-tsa-chain-missing = Names the authority’s certificates in PEM, without which no stamp can be checked.
field-tsa-chain = This file cannot be read as certificates in PEM.
