//! A service whose disk takes nothing for a while.

use serde_json::json;

use crate::support::{SHOP, Service};

#[test]
fn w3_what_cannot_be_written_is_told_and_can_be_repeated_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("memory.db").display());
    let service = Service::with_shop_and_limits(&url);
    let whole = service.call_from("+441632960001");
    service.book(&whole, "brie").expect(200);
    service.post(&format!("{whole}/end"), json!({})).expect(200);
    let begun = service.call_from("+441632960002");
    service.book(&begun, "gouda").expect(200);

    for _ in 0..2 {
        service.limit_files("0");
        let new = json!({ "caller_number": "+441632960003" });
        let refused = [
            service.post(&format!("{SHOP}/conversations"), new),
            service.book(&begun, "stilton"),
            service.post(&format!("{begun}/end"), json!({})),
            service.post(&format!("{SHOP}/memory/erase"), json!({ "identifier": "+441632960001" })),
            service.post(&format!("{SHOP}/memory/read"), json!({ "identifier": "+441632960001" })),
        ];
        for answer in refused {
            assert_eq!(answer.retry_after.as_deref(), Some("1"), "{answer:?}");
            let advice = answer.expect_problem(503, "store-unavailable");
            // A write that fails at its very end may come to light later, as far as the store can know.
            let is_told = ["nothing was changed: try again", "nothing was committed: end", "it is not known whether"];
            assert!(is_told.iter().any(|told| advice.starts_with(told)), "{advice}");
        }
        // What only reads goes on.
        assert_eq!(service.get("/v1/analytics").expect(200)["conversations"], 1);

        service.limit_files("unlimited");
        assert_eq!(service.remembered("+441632960001")["cheese_type"], "brie");
        assert_eq!(service.remembered("+441632960002"), json!({}), "its conversation has not ended");
    }
    service.book(&begun, "cheddar").expect(200);
    service.post(&format!("{begun}/end"), json!({})).expect(200);
    assert_eq!(service.remembered("+441632960002")["cheese_type"], "cheddar");
    let log = service.log();
    assert!(log.contains("the store failed") && !log.contains("panicked"), "{log}");
    assert!(!log.contains("4416") && !log.contains("gouda"), "{log}");
}
