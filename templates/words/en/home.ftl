# The first page and the look-up
home-title = My work
home-nothing = Nothing waits.
home-rows = { $n ->
    [one] One row, as of
   *[other] { $n } rows, as of
}
home-number = Number
home-what = Title
home-note = Note
home-due = Due
home-late = Overdue
home-to-sign = For me to review or approve
home-grants = Grants to sign
home-disposals = Disposals to decide
home-copies = Controlled copies to come back
home-drafts = My drafts
home-reviews = Overdue periodic reviews
home-deviations = Open deviations
home-recalls = Running recalls
home-places = Go to
home-place-now = Look-up
    .what = What is in force, by number, title, process or text
home-place-documents = Documents
    .what = The register of controlled documents
home-place-orders = Orders
    .what = Orders from the ERP, and the procedures that held
home-place-deviations = Deviations
    .what = Register, investigate, close
home-place-recalls = Recalls
    .what = Trace, notify, reconcile
home-place-trail = Audit trail
    .what = Read entries, verify the ledger
home-place-accounts = Accounts
    .what = Accounts, roles and tokens
home-place-settings = Settings
    .what = Training lead days and others
home-no-roles = No role of yours is in force.
    .detail = The administrator asks for a role and QA signs it. Ask them if you need one.
home-system = This account is for another system; there is nothing to do on pages. The interface:
home-health = This node
home-health-schema = Database schema
home-health-ledger = Ledger
home-health-signer = Checkpoint signer
home-health-disk = Disk space
home-health-backup = Last backup
home-health-backup-overdue = Overdue: one is due every 24 hours.
home-health-backup-never = None was ever made.
home-health-anchor = Last time stamp
home-health-anchor-overdue = Overdue: the authority is away or refuses.
home-health-anchor-never = None was ever kept.
home-health-verified = Last verified
home-health-ok = Good
home-health-bad = Bad
home-now = Look-up
    .do = Look up
home-now-heading = Look-up: what to do now
home-now-label = Batch, order, document number or words
home-now-note = Only what is in force. Chinese, English or the pinyin initials of a title; an order, batch, deviation or recall number leads to the record.
home-now-offered = In force, and meant for your role
home-now-near = No document has every word. Nearest: { $n }
home-now-hits = { $n ->
    [one] One document in force
   *[other] { $n } documents in force
}
home-now-since = since
home-now-whole = Whole text
home-now-no-steps = It has no numbered steps; see the whole text.
home-now-nothing = Nothing in force fits.
    .detail = Try another word, or fewer.
home-now-on-call = QA on call: { "" }
home-now-recalled = Red layer: this batch is being recalled; stop selling and using it.
home-record-order = Order
home-record-batch = Orders with batch
home-record-deviation = Deviation
home-record-recall = Recall
