//! The API against its own description, by somebody who tries everything.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::{SHOP, Service, root};
use crate::tools::{python, run};

const PYTHON: &str = "schemathesis==4.32.5\n";

/// No answer is a failure of the service, and all are as they are described.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn no_request_makes_the_service_fail_or_answer_what_it_does_not_describe() {
    let service = Service::with_shop("memory:", &["--rate", "0"]);
    for id in ["one", "two"] {
        service
            .post(&format!("{SHOP}/conversations"), json!({ "id": id, "caller_number": "+441632960001" }))
            .expect(201);
    }
    let description = service.get("/openapi.json").expect(200);
    let paths = description["paths"].as_object().unwrap().values();
    let operations: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    let python = python("schemathesis", PYTHON);
    let folder = tempfile::tempdir().unwrap();
    // What is there, so that not all that is asked for is not there.
    let there = "[parameters]\n\"path.account\" = \"local\"\n\"path.project\" = \"local\"\n\
                 \"path.environment\" = \"sandbox\"\n\"path.conversation\" = \"one\"\n";
    for (name, settings, examples) in [("anything", "", "15"), ("what is there", there, "25")] {
        let settings_file = folder.path().join("schemathesis.toml");
        fs::write(&settings_file, settings).unwrap();
        let mut schemathesis = Command::new(&python);
        schemathesis.args(["-m", "schemathesis.cli", "--config-file"]).arg(&settings_file);
        schemathesis.args(["run", &format!("{}/openapi.json", service.url()), "--checks", CHECKS]);
        schemathesis.args(["--max-examples", examples, "--seed", "1", "--generation-database", "none", "--no-color"]);
        schemathesis.args(["--phases", "examples,coverage,fuzzing"]).current_dir(folder.path());
        schemathesis.env("PYTHONPATH", root().join("crates/cli/tests/service"));
        schemathesis.env("PYTHONDONTWRITEBYTECODE", "1").env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
        let told = run(&mut schemathesis, name);
        assert!(told.contains(&format!("Tested: {operations}\n")), "{name}: {told}");
    }
    service.get("/healthz").expect(200);
    assert!(!service.log().contains("panicked"), "{}", service.log());
}
