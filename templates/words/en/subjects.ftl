# What subjects of the ledger are called, through people/subjects.rs alone
subject-account = Account { $id }
subject-anchor = Time stamp { $id }
subject-batch = Batch { $id }
subject-copy-of = Controlled copy { $id } No. { $part }
subject-deviation = Deviation { $id }
subject-disposal = Disposal { $id }
subject-document = Document { $id }
subject-document-of = Document { $id } V{ $part }
subject-erasure = Erasure { $id }
subject-hold = Legal hold { $id }
subject-link = Link { $id }
subject-order = Order { $id }
subject-pack = Evidence pack { $id }
subject-recall = Recall { $id }
subject-setting = Setting “{ $id }”
