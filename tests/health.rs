//! What a supervisor, a load balancer and the monitoring see.

use crate::house::both;
use crate::ledger::tamper::settle;

#[test]
fn a_good_node_lives_is_ready_and_counts() {
    both(|house| {
        house.nobody().get("/healthz").expect(200);
        // Not while the lane still has to keep a checkpoint.
        settle(house);
        let ready = house.nobody().get("/readyz").expect(200).json();
        assert_eq!(ready["status"], "ready");
        for check in ["schema", "ledger", "signer", "disk"] {
            assert_eq!(ready["checks"][check]["ok"], true, "{check}: {ready}");
        }
        let metrics = house.nobody().get("/metrics").expect(200);
        assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
        let entries = house.acts().len();
        assert!(metrics.text.contains(&format!("sopledger_ledger_entries {entries}\n")), "{}", metrics.text);
        for gauge in ["sopledger_lane_waiting_changes 0", "sopledger_ready 1", "sopledger_disk_free_bytes "] {
            assert!(metrics.text.contains(gauge), "no {gauge} in {}", metrics.text);
        }
        assert!(metrics.text.contains(r#"route="/readyz",status="200"} 1"#), "{}", metrics.text);
    });
}

#[test]
fn a_node_whose_lane_is_closed_still_lives() {
    both(|house| {
        house.site.lane.close();
        house.nobody().get("/healthz").expect(200);
    });
}
