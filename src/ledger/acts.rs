//! The closed list of acts: what an entry may say happened, and which fields it then carries besides the common ones.

/// An act of the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Act {
    /// Two or three words, `document.version.approved`.
    pub name: &'static str,
    /// The extra body fields of its entries.
    pub fields: &'static [&'static str],
}

const fn act(name: &'static str) -> Act {
    Act { name, fields: &[] }
}

const fn with(name: &'static str, fields: &'static [&'static str]) -> Act {
    Act { name, fields }
}

/// An account was made.
pub const ACCOUNT_CREATED: Act = with("account.created", &["sealed"]);
/// An account was disabled.
pub const ACCOUNT_DISABLED: Act = with("account.disabled", &["reason"]);
/// An administrator set a new password.
pub const ACCOUNT_RESET: Act = with("account.reset", &["reason"]);
/// A person changed their own password.
pub const PASSWORD_CHANGED: Act = act("password.changed");
/// Failures locked an account for a while.
pub const ACCOUNT_LOCKED: Act = act("account.locked");
/// A role was asked for.
pub const GRANT_REQUESTED: Act = with("grant.requested", &["reason"]);
/// QA signed a role into force.
pub const GRANT_SIGNED: Act = with("grant.signed", &["sig", "reason", "sealed"]);
/// A role was taken away.
pub const GRANT_ENDED: Act = with("grant.ended", &["reason"]);
/// An API token was made.
pub const TOKEN_CREATED: Act = with("token.created", &["reason"]);
/// An API token was revoked.
pub const TOKEN_REVOKED: Act = with("token.revoked", &["reason"]);
/// Somebody signed in.
pub const SESSION_OPENED: Act = with("session.opened", &["sealed"]);
/// Somebody signed out.
pub const SESSION_CLOSED: Act = act("session.closed");
/// A sign-in was refused.
pub const SESSION_REFUSED: Act = with("session.refused", &["sealed", "cause"]);
/// A signature was refused; the subject stays as it was.
pub const SIGNATURE_REFUSED: Act = with("signature.refused", &["cause", "meaning"]);
/// A setting was given a value.
pub const SETTING_CHANGED: Act = with("setting.changed", &["reason"]);

/// A document got its number.
pub const DOCUMENT_CREATED: Act = act("document.created");
/// A document got another owner.
pub const DOCUMENT_OWNER_CHANGED: Act = with("document.owner.changed", &["reason"]);
/// A document is retired from an instant on.
pub const DOCUMENT_RETIRED: Act = with("document.retired", &["sig", "reason", "sealed"]);
/// The periodic review was signed.
pub const DOCUMENT_REVIEWED: Act = with("document.reviewed", &["sig", "reason", "sealed"]);
/// A draft was made.
pub const VERSION_CREATED: Act = act("document.version.created");
/// A draft was changed.
pub const VERSION_SAVED: Act = act("document.version.saved");
/// A draft was submitted and signed as authored.
pub const VERSION_SUBMITTED: Act = with("document.version.submitted", &["sig", "sealed"]);
/// A reviewer signed.
pub const VERSION_REVIEWED: Act = with("document.version.reviewed", &["sig", "sealed"]);
/// An approver signed; the last one gives force.
pub const VERSION_APPROVED: Act = with("document.version.approved", &["sig", "sealed"]);
/// Somebody signed it as read and understood.
pub const VERSION_ACKNOWLEDGED: Act = with("document.version.acknowledged", &["sig", "sealed"]);
/// A reviewer or approver sent it back.
pub const VERSION_REJECTED: Act = with("document.version.rejected", &["reason", "sig", "sealed"]);
/// The author took it back.
pub const VERSION_WITHDRAWN: Act = with("document.version.withdrawn", &["reason"]);
/// An awaiting version was called off.
pub const VERSION_CANCELLED: Act = with("document.version.cancelled", &["reason", "sig", "sealed"]);
/// A draft was abandoned.
pub const VERSION_ABANDONED: Act = with("document.version.abandoned", &["reason"]);
/// The instant of effect has passed.
pub const VERSION_TOOK_EFFECT: Act = act("document.version.effective");

/// Somebody made an uncontrolled print; the version stays as it was.
pub const VERSION_PRINTED: Act = with("document.version.printed", &["mark", "lang"]);
/// A numbered copy was issued to somebody.
pub const COPY_ISSUED: Act = with("document.copy.issued", &["sealed"]);
/// A numbered copy was put on paper; it stays as it was.
pub const COPY_PRINTED: Act = act("document.copy.printed");
/// The copy's version is no longer in force: it must come back.
pub const COPY_RECALLED: Act = act("document.copy.recalled");
/// The copy came back, was destroyed, or is lost.
pub const COPY_SETTLED: Act = with("document.copy.settled", &["outcome", "reason"]);

/// An order came from the ERP for the first time.
pub const ORDER_IMPORTED: Act = with("order.imported", &["source", "sealed"]);
/// The ERP's order differs from what we had.
pub const ORDER_UPDATED: Act = with("order.updated", &["source", "sealed"]);
/// An order with a recalled batch is held.
pub const ORDER_HELD: Act = act("order.held");
/// QA released a held order.
pub const ORDER_RELEASED: Act = with("order.released", &["reason", "sig", "sealed"]);

/// A deviation was registered.
pub const DEVIATION_RAISED: Act = act("deviation.raised");
/// Empty fields of a deviation were filled.
pub const DEVIATION_FILLED: Act = act("deviation.filled");
/// A deviation moved to another state.
pub const DEVIATION_MOVED: Act = with("deviation.moved", &["reason"]);
/// A deviation was closed and signed.
pub const DEVIATION_CLOSED: Act = with("deviation.closed", &["sig", "sealed"]);
/// A recall was opened and its trace frozen.
pub const RECALL_OPENED: Act = act("recall.opened");
/// Empty fields of a recall were filled, a customer's row booked.
pub const RECALL_FILLED: Act = act("recall.filled");
/// A recall moved to another state.
pub const RECALL_MOVED: Act = with("recall.moved", &["reason"]);
/// A recalled batch turned up on a later order.
pub const RECALL_HIT: Act = act("recall.hit");
/// A recall was closed and signed.
pub const RECALL_CLOSED: Act = with("recall.closed", &["sig", "sealed"]);
/// A correction of a filled field was asked for.
pub const CORRECTION_REQUESTED: Act = with("correction.requested", &["reason"]);
/// QA decided a correction.
pub const CORRECTION_DECIDED: Act = with("correction.decided", &["reason", "sig", "sealed"]);
/// Two subjects were tied.
pub const LINK_CREATED: Act = with("link.created", &["reason"]);
/// A tie was taken away.
pub const LINK_REMOVED: Act = with("link.removed", &["reason"]);

/// Entry 0.
pub const LEDGER_CREATED: Act = with("ledger.created", &["alg", "demo"]);
/// Entry 0 of an epoch that a recovery began.
pub const LEDGER_RECOVERED: Act =
    with("ledger.recovered", &["alg", "checkpoint", "found_size", "found_root", "reason"]);
/// A new key signs from here on.
pub const KEY_ROTATED: Act = with("key.rotated", &["vkey", "reason"]);
/// A key vouches for nothing from here on.
pub const KEY_REVOKED: Act = with("key.revoked", &["vkey", "reason"]);
/// The ledger and its records were verified: the whole, or what was new.
pub const LEDGER_VERIFIED: Act =
    with("ledger.verified", &["integrity", "completeness", "scope", "from", "to", "faults"]);
/// A record is held, whatever its time.
pub const HOLD_SET: Act = with("hold.set", &["reason"]);
/// A hold was lifted.
pub const HOLD_LIFTED: Act = with("hold.lifted", &["reason"]);
/// Personal values were erased.
pub const PRIVACY_ERASED: Act = with("privacy.erased", &["erased", "basis", "reason", "sig", "sealed"]);
/// Records whose time is over are to go.
pub const DISPOSAL_PROPOSED: Act = with("disposal.proposed", &["reason"]);
/// QA signed, and they went.
pub const DISPOSAL_CARRIED_OUT: Act = with("disposal.carried_out", &["reason", "sig", "sealed"]);
/// QA signed that they stay.
pub const DISPOSAL_REFUSED: Act = with("disposal.refused", &["reason", "sig", "sealed"]);
/// Who proposed it took it back.
pub const DISPOSAL_WITHDRAWN: Act = with("disposal.withdrawn", &["reason"]);
/// A record went; what is left of it is the snapshot that this entry seals. `pre` is the hash of what went.
pub const RECORD_DISPOSED: Act =
    with("record.disposed", &["disposal", "rule", "clause", "retain_until", "along_with"]);
/// An outside authority's time stamp over a checkpoint was kept.
pub const ANCHOR_ADDED: Act = with("anchor.added", &["entries", "note", "token"]);
/// An evidence pack was made.
pub const PACK_MADE: Act = with("pack.made", &["sha256", "size", "entries", "prints", "reason"]);
/// The schema was brought up to date.
pub const SYSTEM_MIGRATED: Act = with("system.migrated", &["schema"]);
/// A backup was made.
pub const BACKUP_MADE: Act = with("backup.made", &["sha256", "size", "entries"]);
/// A backup was restored beside the installation and verified.
pub const BACKUP_DRILLED: Act = with("backup.drilled", &["sha256", "entries", "sound", "seconds"]);
/// The installation was restored from a backup.
pub const SYSTEM_RESTORED: Act = with("system.restored", &["sha256", "entries"]);
/// The installation was moved to the other database.
pub const SYSTEM_MOVED: Act = with("system.moved", &["from", "to", "entries", "root"]);
/// The host's clock stands before the last entry's instant.
pub const CLOCK_BACK: Act = with("system.clock_back", &["microseconds"]);

/// Every act there is; `Tx::append` refuses one that is not listed.
#[rustfmt::skip]
pub const ALL: &[Act] = &[
    ACCOUNT_CREATED, ACCOUNT_DISABLED, ACCOUNT_RESET, PASSWORD_CHANGED, ACCOUNT_LOCKED, GRANT_REQUESTED, GRANT_SIGNED,
    GRANT_ENDED, TOKEN_CREATED, TOKEN_REVOKED, SESSION_OPENED, SESSION_CLOSED, SESSION_REFUSED, SIGNATURE_REFUSED,
    SETTING_CHANGED, DOCUMENT_CREATED, DOCUMENT_OWNER_CHANGED, DOCUMENT_RETIRED, DOCUMENT_REVIEWED, VERSION_CREATED,
    VERSION_SAVED, VERSION_SUBMITTED, VERSION_REVIEWED, VERSION_APPROVED, VERSION_ACKNOWLEDGED, VERSION_REJECTED, VERSION_WITHDRAWN,
    VERSION_CANCELLED, VERSION_ABANDONED, VERSION_TOOK_EFFECT, VERSION_PRINTED,
    COPY_ISSUED, COPY_PRINTED, COPY_RECALLED, COPY_SETTLED, ORDER_IMPORTED, ORDER_UPDATED, ORDER_HELD,
    ORDER_RELEASED, DEVIATION_RAISED, DEVIATION_FILLED, DEVIATION_MOVED, DEVIATION_CLOSED, RECALL_OPENED,
    RECALL_FILLED, RECALL_MOVED, RECALL_HIT, RECALL_CLOSED, CORRECTION_REQUESTED, CORRECTION_DECIDED, LINK_CREATED,
    LINK_REMOVED, LEDGER_CREATED, LEDGER_RECOVERED, KEY_ROTATED, KEY_REVOKED, LEDGER_VERIFIED, SYSTEM_MIGRATED,
    HOLD_SET, HOLD_LIFTED, PRIVACY_ERASED, DISPOSAL_PROPOSED, DISPOSAL_CARRIED_OUT, DISPOSAL_REFUSED, DISPOSAL_WITHDRAWN,
    RECORD_DISPOSED, ANCHOR_ADDED, PACK_MADE, BACKUP_MADE, BACKUP_DRILLED, SYSTEM_RESTORED, SYSTEM_MOVED, CLOCK_BACK,
];
