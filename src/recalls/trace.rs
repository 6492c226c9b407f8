//! The trace: from a batch to the order lines that carry it, to the customers they went to, with quantities.

use diesel::prelude::*;

use super::record::{Batch, Line, Recall, STATES};
use crate::error::Result;
use crate::orders::read::{self as orders, BatchLine};
use crate::store::Db;
use crate::store::schema::{recall, recall_batch};

/// Every line of every order that carries goods of these batches, found at the recall's registering.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, recall: &Recall, batches: &[Batch]) -> Result<Vec<Line>> {
    let numbers: Vec<&str> = batches.iter().map(|batch| batch.batch.as_str()).collect();
    let line = |carrying: BatchLine| Line {
        recall: recall.number.clone(),
        order_number: carrying.order,
        line: carrying.line,
        customer_code: carrying.customer_code,
        material: carrying.material,
        batch: carrying.batch.unwrap_or_default(),
        quantity: carrying.quantity,
        unit: carrying.unit,
        found_at: recall.raised_at,
    };
    let lines = orders::lines_with_batches(db, &numbers)?.into_iter().map(line);
    Ok(lines.filter(|line| covers(batches, &line.material, &line.batch)).collect())
}

fn covers(batches: &[Batch], material: &str, batch: &str) -> bool {
    batches.iter().any(|recalled| recalled.covers(material, batch))
}

/// Goods on an order's line, as far as a recall is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Goods<'a> {
    /// Which line of its order.
    pub line: &'a str,
    /// The ERP's code of the material.
    pub material: &'a str,
    /// The batch; none where the line has none.
    pub batch: Option<&'a str>,
}

/// A line that carries goods of a batch under recall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The recall's number.
    pub recall: String,
    /// The line.
    pub line: String,
    /// The material.
    pub material: String,
    /// The batch.
    pub batch: String,
}

/// Which of these goods are under a recall that is neither closed nor a drill, by recall and line: an exercise holds
/// no order.
///
/// # Errors
/// The database does not answer.
pub fn hits(db: &mut Db, goods: &[Goods<'_>]) -> Result<Vec<Hit>> {
    let numbers: Vec<&str> = goods.iter().filter_map(|goods| goods.batch).collect();
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let closed = STATES[STATES.len() - 1];
    let recalled: Vec<Batch> = recall_batch::table
        .inner_join(recall::table.on(recall::number.eq(recall_batch::recall)))
        .filter(recall_batch::batch.eq_any(numbers))
        .filter(recall::state.ne(closed).and(recall::drill.eq(false)))
        .select(Batch::as_select())
        .load(db)?;
    let mut hits: Vec<Hit> = Vec::new();
    for goods in goods {
        let Some(batch) = goods.batch else { continue };
        for recalled in recalled.iter().filter(|recalled| recalled.covers(goods.material, batch)) {
            hits.push(Hit {
                recall: recalled.recall.clone(),
                line: goods.line.to_owned(),
                material: goods.material.to_owned(),
                batch: batch.to_owned(),
            });
        }
    }
    hits.sort_by(|a, b| (&a.recall, &a.line).cmp(&(&b.recall, &b.line)));
    // A batch recalled both with its material and as "any material" is one hit.
    hits.dedup();
    Ok(hits)
}

/// The recalls of a batch that still run, the newest first: what the batch's reader must know. Drills included.
///
/// # Errors
/// The database does not answer.
pub fn running(db: &mut Db, batch: &str) -> Result<Vec<Recall>> {
    let mut found: Vec<Recall> = recall_batch::table
        .inner_join(recall::table.on(recall::number.eq(recall_batch::recall)))
        .filter(recall_batch::batch.eq(batch).and(recall::state.ne(STATES[STATES.len() - 1])))
        .select(Recall::as_select())
        .load(db)?;
    found.sort_by_key(|recall| std::cmp::Reverse((recall.raised_at, recall.number.clone())));
    found.dedup_by(|a, b| a.number == b.number);
    Ok(found)
}
