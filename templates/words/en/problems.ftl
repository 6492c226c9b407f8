# Words of refusals: problem-<code>, of their families kind-<family>, of fields field-<code>
kind-malformed = The request cannot be read
    .detail = It is not well formed. Nothing was changed.
kind-unauthenticated = Please sign in
    .detail = You are not signed in, or no longer.
kind-forbidden = No right
    .detail = Your account may not do this. Ask QA or the administrator if you need to.
kind-not-found = Not found
    .detail = There is no such thing, or it is not for you to see.
kind-conflict = Conflicts with the present state
    .detail = The record's present state does not allow this. Reload it and look again.
kind-stale = Changed meanwhile
    .detail = Somebody changed it after you opened it. Open it again, then change it.
kind-unconditional = If-Match is missing
    .detail = Name the state you build on in If-Match.
kind-too-large = Too large
    .detail = It is longer than what is taken here.
kind-unsupported = Type not supported
    .detail = This type of content is not taken here.
kind-invalid = Something needs to be corrected
    .detail = Correct what is listed and submit again.
kind-locked = Try again later
    .detail = Too many attempts, or the account is locked.
kind-unavailable = Not available just now
    .detail = Nothing was written. Try again a little later.
kind-internal = Something went wrong
    .detail = The system could not finish this. The error is in its log.
problem-invalid = Something needs to be corrected
    .detail = Correct what is listed and submit again.
problem-malformed-json = JSON cannot be read
    .detail = It is not valid JSON near line { $line }, column { $column }.
problem-duplicate-key = A key occurs twice
    .detail = Near line { $line }, column { $column }, one object has the same key twice.
problem-nul = Contains NUL
    .detail = Text must not contain the NUL character.
problem-not-utf8 = Not valid UTF-8
    .detail = Send it encoded as UTF-8.
problem-malformed-form = The form cannot be read
    .detail = Its encoding is broken. Nothing was changed.
problem-malformed-request = The request cannot be read
    .detail = It is not well formed. Nothing was changed.
problem-broken-off = The request broke off
    .detail = It ended before it was complete. Nothing was changed.
problem-sign-in = Please sign in
    .detail = You are not signed in, or were signed out after a time without activity.
problem-bad-credentials = User name or password is wrong
    .detail = Check both and try again. After five failures in a row the account is locked for 15 minutes.
problem-must-change-password = Change your password first
    .detail = The first password only serves to set one of your own.
problem-no-right = No right
    .detail = Your account may not do this. Ask QA or the administrator if you need to.
problem-password = Wrong password
    .detail = Nothing was signed or changed. Enter your own password again; this attempt is on record.
problem-csrf = The form is no longer valid
    .detail = The page was open too long, or is not ours. Reload it and submit again.
problem-origin = Wrong origin
    .detail = The request came from another site and was refused.
problem-token-signs = An API token never signs
    .detail = Signing takes a person who is signed in and enters their password.
problem-own-version = Not your own version
    .detail = Who wrote a version neither reviews nor approves it; somebody else must sign.
problem-not-in-force = Not in force
    .detail = You may only read what is in force.
problem-no-page = No such page
    .detail = There is nothing at this address. Check it, or start from the home page.
problem-method-not-allowed = Method not allowed
    .detail = This address does not take this method.
problem-not-acceptable = Not acceptable
    .detail = Name a type in Accept that is offered here.
problem-already-exists = Already exists
    .detail = There is a record of this number or name already.
problem-stale-digest = Changed since you read it
    .detail = The content changed after you opened it; nothing was signed. Read it again, then sign.
problem-already-signed = Already signed
    .detail = Everybody signs once in a round.
problem-out-of-order = Out of order
    .detail = An earlier step is still open: all reviewers sign before approvers may.
problem-open-draft = There is an open draft
    .detail = A document has one open draft at a time. Finish or abandon it first.
problem-wrong-state = Not in this state
    .detail = The record's present state does not allow this. Reload it and look again.
problem-incomplete = Not complete
    .detail = What is listed must be filled in first.
problem-already-filled = Already filled in
    .detail = What has been filled in changes only by a correction.
problem-idempotency-mismatch = Idempotency-Key belongs to another request
    .detail = One key serves one request only.
problem-idempotency-in-flight = The same request is being handled
    .detail = Try again a little later with the same key.
problem-idempotency-key = Idempotency-Key is not valid
    .detail = It has 1 to 128 printable characters.
problem-if-match-missing = If-Match is missing
    .detail = Name the digest you build on in If-Match.
problem-if-match-stale = Changed meanwhile
    .detail = Somebody changed it after you opened it. Open it again, then change it.
problem-too-large = Too large
    .detail = At most { $most } bytes are taken here.
problem-entry-too-large = Too long
    .detail = This change exceeds what one entry of the audit trail holds. Split it.
problem-unsupported-media = Type not supported
    .detail = What is sent here must be { $wanted }; say so in Content-Type.
problem-locked = The account is locked
    .detail = After several failures in a row it is locked for 15 minutes. The administrator can help sooner.
problem-too-fast = Too fast
    .detail = Try again a little later.
problem-lane-full = Busy writing
    .detail = Nothing was written. Try again a little later.
problem-job-over = The job is over
    .detail = It has ended already and can no longer be called off.
problem-job-called-off = Called off
    .detail = The job was called off. What it had written stands.
problem-lane-closed = Shutting down
    .detail = Nothing was written. Try again a little later.
problem-database = The database is not available
    .detail = Nothing was written. Try again a little later.
problem-disk-full = The disk is full
    .detail = Nothing was written. Make room, then do it again.
problem-disk-read-only = The disk can only be read
    .detail = Nothing was written. Have it mounted for writing, or name another folder.
problem-unavailable = Not available just now
    .detail = Nothing was written. Try again a little later.
problem-internal = Something went wrong
    .detail = The system could not finish this. The error is in its log.
field-required = Fill this in
field-too-long = At most { $most } characters
field-too-short = Too short
field-control-character = Contains control characters that are not allowed
field-unknown-code = Not one of the values to choose from
field-unknown-person = There is no such account
field-unknown-field = There is no such field
field-unknown-parameter = There is no such parameter here
field-system-field = Only the system sets this
field-wrong-type = Of the wrong type
field-out-of-range = Out of range
field-unacceptable = This value is not acceptable
field-not-a-date = Neither a date (2026-12-31) nor an instant (RFC 3339: 2026-12-31T09:30:00+08:00)
field-not-a-day = Not a date; write YYYY-MM-DD, as in 2026-12-31
field-not-an-instant = Not an instant; write RFC 3339 with its offset, as in 2026-12-31T09:30:00+08:00
field-not-an-instant-here = Not an instant; write date and time of day, as in 2026-12-31 09:30, or RFC 3339 with its offset, as in 2026-12-31T09:30:00+08:00
field-not-a-number = Not a valid quantity; at most 6 digits behind the point
field-in-past = Must not be in the past
field-in-future = Must not be in the future
field-duplicate = Occurs twice
field-malformed = Not in the right form
field-cursor = Not a cursor that this list gave
field-password = Wrong password
field-same-password = The new password is the old one
field-weak-password = Too short or too common
field-not-found = There is no such thing
field-missing = Missing
field-database-url = Not a database address that can be used
problem-not-found = Not found
    .detail = There is no { $kind ->
        [epoch] epoch
        [key] key
        [document] document
        [version] version
        [order] order
        [deviation] deviation
        [recall] recall
        [complaint] complaint
        [capa] CAPA
        [user] account
        [account] account
        [link] link
        [entry] entry
        [content] content
        [job] job
        [correction] correction
        [pack] evidence pack
       *[other] such thing
    } { $id }.
problem-not-a-demo = Not a demo
    .detail = The installation there holds real records. Name another folder, or another database.
problem-import-rejected = Not everything was imported
    .detail = Rejected: { $count }. What was taken stands; correct the rest and import it again.
