# Parts of several pages
parts-in-brackets = {" "}({ $text })
parts-colon = {": "}
parts-choose = Please choose
parts-any = Any
parts-filter = Filter
parts-filter-clear = Clear filter
parts-fault = Error:{" "}
parts-faults = { $n ->
    [one] One thing to correct
   *[other] { $n } things to correct
}
parts-not-done = Not done
parts-pages = Pages
parts-total = { $n ->
    [one] One row
   *[other] { $n } rows
}
parts-shown = { $shown } on this page
parts-shown-of = { $shown } on this page, { $total } in all
parts-as-of = {","} as of
parts-first-page = First page
parts-next-page = Next page
parts-verified = Verified
parts-not-verified = Not verified
parts-broken = Does not match
parts-content-same = content equals the ledger's digest
parts-content-differs = content differs from the ledger's digest
parts-entry = entry #{ $seq }
parts-entry-past = entry #{ $seq } of epoch { $epoch }
parts-signature = Signature
parts-signature-broken = ✕ Signature does not hold: the content under it changed
parts-not-signed-yet = Not yet signed
seal-authored = 编制
seal-reviewed = 审核
seal-approved = 批准
seal-acknowledged = 已阅
seal-closed = 关闭
seal-retired = 作废
seal-confirmed = 复审
seal-rejected = 退回
seal-decided = 决定
seal-open = 待签
meaning-authored = Authored: I wrote this version
meaning-reviewed = Reviewed: correct and workable
meaning-approved = Approved: to be followed from its effective date
meaning-acknowledged = Read and understood
meaning-closed = Closed: all is done, it may be closed
meaning-retired = Retired: no longer to be followed from that instant
meaning-confirmed = Periodic review: still fits
meaning-rejected = Rejected: to be changed and submitted again
meaning-decided = Decided: the requested correction is granted or refused
state-draft = Draft
state-in_review = In review
state-awaiting = Awaiting effect
state-in_force = In force
state-superseded = Superseded
state-retired = Retired
state-cancelled = Cancelled
state-abandoned = Abandoned
