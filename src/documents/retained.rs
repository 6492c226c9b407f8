//! What the times of retention need to know of a document and of its versions.

use super::store;
use super::timeline::Timeline;
use crate::error::Result;
use crate::keeping::Keeper;
use crate::records::retention::Facts;
use crate::store::Db;
use crate::time::Timestamp;

/// Documents and versions, for the times of retention.
pub const KEEPER: Keeper = Keeper { kind: "document", facts };

/// A document ends when it is retired; a version when it is superseded, retired, called off or abandoned. A draft is open.
fn facts(db: &mut Db, id: &str, now: Timestamp) -> Result<Option<Facts>> {
    let (number, version) =
        id.split_once('/').map_or((id, None), |(number, version)| (number, Some(version)));
    let Some(document) = store::find(db, number)? else { return Ok(None) };
    let Some(version) = version else {
        let ended = document.retired_from.filter(|from| *from <= now);
        return Ok(Some(Facts { record: "document", recorded: document.created_at, expiry: None, ended }));
    };
    let versions = store::versions(db, number)?;
    let Some(row) = versions.iter().find(|row| row.version == version) else { return Ok(None) };
    let superseded = Timeline::new(&versions, document.retired_from).until(row).filter(|end| *end <= now);
    let ended = superseded.or(row.ended_at);
    Ok(Some(Facts { record: "document", recorded: row.created_at, expiry: None, ended }))
}
