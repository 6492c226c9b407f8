//! The clocks of a recall: which deadlines class, role and origin bring, from the rows of [`deadlines`].
//!
//! They are computed when the recall is registered and whenever a correction changes what they hang on; the earlier
//! ones stay in the trail. Whose number a clock is, the law's or the company's, is never mixed.

use chrono_tz::Tz;

use super::record::{Clock, Customer, NAME, Recall};
use crate::records::deadlines::{self, Case, Rule};
use crate::time::Timestamp;

/// The law's days are those of the PRC, wherever the site stands.
const ZONE: Tz = chrono_tz::Asia::Shanghai;

/// The starting point of clocks that count from the recall's completion.
const COMPLETED: &str = "completed";

/// The clocks of a recall as it stands, by name.
pub fn of(recall: &Recall) -> Vec<Clock> {
    let case = Case {
        record: NAME,
        class: &recall.class,
        role: &recall.role,
        origin: &recall.origin,
        at: recall.decided_at,
        zone: ZONE,
    };
    let mut clocks: Vec<Clock> = deadlines::for_case(case).map(|rule| clock(recall, rule)).collect();
    clocks.sort_by(|a, b| a.name.cmp(&b.name));
    clocks
}

fn clock(recall: &Recall, rule: &Rule) -> Clock {
    let start = if rule.starts == COMPLETED { recall.closed_at } else { Some(recall.decided_at) };
    Clock {
        recall: recall.number.clone(),
        name: rule.id.clone(),
        due_at: start.and_then(|start| rule.due(start, ZONE)),
        clause: rule.source.clause.clone(),
    }
}

/// When a clock is due next: a deadline that repeats moves on until the recall is closed.
pub fn next_due(clock: &Clock, recall: &Recall, now: Timestamp) -> Option<Timestamp> {
    let first = clock.due_at?;
    let rule = deadlines::by_id(&clock.name).filter(|rule| rule.repeats);
    let step = rule.and_then(|rule| rule.due(first, ZONE)).map(|second| second.0 - first.0);
    let Some(step) = step.filter(|step| *step > 0 && first < now && recall.closed_at.is_none()) else {
        return Some(first);
    };
    let passed = (now.0 - first.0 + step - 1) / step;
    Some(Timestamp(first.0 + passed * step))
}

/// Rules that are met once every customer has the notice; when the others are met is not kept here.
const MET_BY_NOTICE: &[&str] = &["rc.notice.", "rc.dist.stop"];

/// When a clock stopped: the instant the last customer was notified, where that is what it asks for.
pub fn met_at(clock: &Clock, customers: &[Customer]) -> Option<Timestamp> {
    let by_notice = MET_BY_NOTICE.iter().any(|rule| clock.name.starts_with(rule));
    let notified: Option<Vec<Timestamp>> = customers.iter().map(|row| row.notified_at).collect();
    notified.filter(|_| by_notice)?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recalls::record::{Class, Origin, Role};
    use crate::recalls::tests::recall;
    use crate::records::source::Basis;

    const DAY: i64 = 86_400;

    fn of_basis(recall: &Recall, basis: Basis) -> Vec<Clock> {
        let is = |clock: &Clock| deadlines::by_id(&clock.name).unwrap().source.basis == basis;
        of(recall).into_iter().filter(is).collect()
    }

    #[test]
    fn the_notice_is_due_by_class_whatever_our_role() {
        for role in Role::ALL {
            for (class, days) in [(Class::I, 1), (Class::II, 3), (Class::III, 7)] {
                let recall = Recall { class: class.code().into(), role: role.code().into(), ..recall() };
                let due = of_basis(&recall, Basis::Law);
                let due = due.iter().filter_map(|clock| clock.due_at).min();
                let expected = match role {
                    // A holder decides and starts at once; its notice is the next.
                    Role::Holder => recall.decided_at,
                    _ => recall.decided_at.plus_seconds(days * DAY),
                };
                assert_eq!(due, Some(expected), "{role:?} {class:?}");
                let notice = of(&recall).into_iter().find(|clock| clock.name.contains(".notice."));
                let notice = notice.unwrap_or_else(|| panic!("no notice for {role:?} {class:?}"));
                assert_eq!(notice.due_at, Some(recall.decided_at.plus_seconds(days * DAY)));
            }
        }
    }

    #[test]
    fn a_wholesalers_duty_has_no_number_in_law_and_a_target_of_the_company() {
        for (class, hours) in [(Class::I, 4), (Class::II, 24), (Class::III, 48)] {
            let recall = Recall { class: class.code().into(), role: "wholesaler".into(), ..recall() };
            let duty = of(&recall).into_iter().find(|clock| clock.name == "rc.dist.stop").unwrap();
            assert_eq!(duty.due_at, None);
            let targets = of_basis(&recall, Basis::Company);
            let due: Vec<_> = targets.iter().map(|clock| clock.due_at).collect();
            assert_eq!(due, [Some(recall.decided_at.plus_seconds(hours * 3600))], "{class:?}");
        }
    }

    #[test]
    fn every_clock_of_every_case_names_its_clause() {
        for class in Class::ALL {
            for role in Role::ALL {
                for origin in Origin::ALL {
                    let recall = Recall {
                        class: class.code().into(),
                        role: role.code().into(),
                        origin: origin.code().into(),
                        ..recall()
                    };
                    let clocks = of(&recall);
                    assert!(!clocks.is_empty(), "{class:?} {role:?} {origin:?}");
                    assert!(clocks.iter().all(|clock| !clock.clause.is_empty()));
                }
            }
        }
    }

    #[test]
    fn the_final_report_is_due_only_once_the_recall_is_completed() {
        let open = Recall { role: "holder".into(), ..recall() };
        let last = |recall: &Recall| of(recall).into_iter().find(|clock| clock.name == "rc.final").unwrap();
        assert_eq!(last(&open).due_at, None);
        let closed_at = Timestamp::parse("2026-03-02T04:00:00Z");
        let closed = Recall { closed_at, ..open };
        assert_eq!(last(&closed).due_at, Timestamp::parse_end("2026-03-16", ZONE));
    }

    #[test]
    fn the_clock_of_the_notice_stops_with_the_last_customer() {
        let recall = recall();
        let clocks = of(&recall);
        let named = |name: &str| clocks.iter().find(|clock| clock.name == name).unwrap();
        let told = |hours: i64| Customer {
            notified_at: Some(recall.decided_at.plus_seconds(hours * 3600)),
            ..Customer::blank("RCL-2026-0001", "C")
        };
        let silent = Customer::blank("RCL-2026-0001", "D");
        let own = named("rc.dist.stop.target.1");
        assert_eq!(met_at(own, &[told(2), told(3)]), Some(recall.decided_at.plus_seconds(3 * 3600)));
        assert_eq!(met_at(own, &[told(2), silent]), None);
        assert_eq!(met_at(own, &[]), None, "nobody to notify");
        assert_eq!(met_at(named("rc.holder.notice.1"), &[told(2)]), None, "the holder's act, not ours");
    }

    #[test]
    fn a_repeating_clock_moves_on_until_the_recall_is_closed() {
        let open = Recall { role: "holder".into(), class: "II".into(), ..recall() };
        let progress = of(&open).into_iter().find(|clock| clock.name == "rc.progress.2").unwrap();
        let first = progress.due_at.unwrap();
        for (after, steps) in [(-DAY, 0), (0, 0), (1, 1), (3 * DAY, 1), (3 * DAY + 1, 2)] {
            let next = next_due(&progress, &open, first.plus_seconds(after));
            assert_eq!(next, Some(first.plus_seconds(steps * 3 * DAY)), "{after}");
        }
        let closed = Recall { closed_at: Some(first.plus_seconds(9 * DAY)), ..open };
        assert_eq!(next_due(&progress, &closed, first.plus_seconds(30 * DAY)), Some(first));
    }
}
