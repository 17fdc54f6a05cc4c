//! Policies as JSON and TOML: what they may say, and errors that name field and place.

use recourse_core::policy::{Jitter, PolicySet, PolicySource, limits};
use recourse_core::{Key, Policy};
use std::time::Duration;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A file in which one field of one policy's part holds this value.
fn json(part: &str, field: &str, value: &str) -> String {
    format!("{{\n \"policies\": {{\n  \"a.b\": {{\n   \"{part}\": {{\n    \"{field}\": {value}\n}}}}}}}}")
}

fn toml(part: &str, field: &str, value: &str) -> String {
    format!("# policies\n\n[policies.\"a.b\".{part}]\n\n{field} = {value}\n")
}

fn json_error(text: &str) -> String {
    serde_json::from_str::<PolicySet>(text).unwrap_err().to_string()
}

fn toml_error(text: &str) -> String {
    ::toml::from_str::<PolicySet>(text).unwrap_err().to_string()
}

#[test]
fn a_file_says_what_code_says() {
    let text = r#"
        [default.retry]
        max_attempts = 2

        [policies."payments.Charge"]
        id = "charge-v3"
        [policies."payments.Charge".retry]
        max_attempts = 4
        initial_backoff = "50ms"
        max_backoff = "2s"
        backoff_multiplier = 3
        jitter = "decorrelated"
        max_server_delay = "1min"
        timeout_per_attempt = "1s 500ms"
        overall_timeout = "off"
        classifier_name = "http"
        budget = { name = "retries", cost = 2 }
        [policies."payments.Charge".hedge]
        enabled = true
        max_hedges = 1
        hedge_delay = "80ms"
        trigger_name = "p95"
        cancel_on_first_terminal = true
        budget = { name = "hedges" }
        [policies."payments.Charge".circuit]
        enabled = true
        breaker_name = "ratio"
        threshold = 7
        cooldown = "5s"
    "#;
    let set: PolicySet = ::toml::from_str(text).unwrap();
    let policy = Policy::new()
        .id("charge-v3")
        .max_attempts(4)
        .backoff(ms(50), ms(2_000))
        .backoff_multiplier(3.0)
        .jitter(Jitter::Decorrelated)
        .max_server_delay(ms(60_000))
        .timeout_per_attempt(ms(1_500))
        .classifier("http")
        .retry_budget("retries")
        .retry_cost(2)
        .hedge_after(ms(80))
        .max_hedges(1)
        .hedge_trigger("p95")
        .cancel_on_first_terminal(true)
        .hedge_budget("hedges")
        .circuit(7, ms(5_000))
        .circuit_breaker("ratio");
    assert_eq!(set.policies[&Key::from_static("payments.Charge")], policy);
    assert_eq!(set.default, Some(Policy::new().max_attempts(2)));
}

#[test]
fn what_is_written_is_read_back_in_both_formats() {
    let odd = Policy::new().backoff(Duration::from_nanos(1_500_001), Duration::MAX).backoff_multiplier(1.1);
    for policy in [Policy::new(), Policy::http(), Policy::low_latency().circuit(5, ms(100)), odd] {
        let mut set = PolicySet::default();
        set.policies.insert(Key::from_static("a.b"), policy.clone());
        set.policies.insert(Key::new(".a.b").unwrap(), Policy::database());
        set.default = Some(policy);
        let json = serde_json::to_string_pretty(&set).unwrap();
        assert_eq!(serde_json::from_str::<PolicySet>(&json).unwrap(), set, "{json}");
        let toml = ::toml::to_string(&set).unwrap();
        assert_eq!(::toml::from_str::<PolicySet>(&toml).unwrap(), set, "{toml}");
    }
}

#[test]
fn an_empty_file_holds_no_policies_and_an_empty_policy_is_the_default() {
    assert_eq!(serde_json::from_str::<PolicySet>("{}").unwrap(), PolicySet::default());
    assert_eq!(::toml::from_str::<PolicySet>("").unwrap(), PolicySet::default());
    assert_eq!(
        serde_json::from_str::<Policy>(r#"{"retry":{},"hedge":{"budget":{}}}"#).unwrap(),
        Policy::new()
    );
}

#[test]
fn an_unknown_field_anywhere_is_named_with_its_place() {
    for (part, known) in [("retry", "max_attempts"), ("hedge", "max_hedges"), ("circuit", "threshold")] {
        let (json, toml) =
            (json_error(&json(part, "max_attemps", "3")), toml_error(&toml(part, "max_attemps", "3")));
        for message in [&json, &toml] {
            assert!(message.contains("`max_attemps`") && message.contains(known), "{message}");
            assert!(message.contains("line 5"), "{message}");
        }
    }
    for (text, field) in [
        (r#"{"polices":{}}"#, "polices"),
        (r#"{"policies":{"a.b":{"retries":{}}}}"#, "retries"),
        (r#"{"policies":{"a.b":{"retry":{"budget":{"nmae":"x"}}}}}"#, "nmae"),
        (r#"{"default":{"hedge":{"budget":{"prize":1}}}}"#, "prize"),
    ] {
        let message = json_error(text);
        assert!(message.contains(&format!("`{field}`")) && message.contains("line 1 column"), "{message}");
    }
}

#[test]
fn a_field_or_key_given_twice_is_an_error_also_in_two_spellings() {
    let twice = json_error(r#"{"policies":{"a.b":{"retry":{"max_attempts":3,"max_attempts":4}}}}"#);
    assert!(twice.contains("`max_attempts`") && twice.contains("line 1 column"), "{twice}");
    for second in ["a.b", " a . b ", "a.b ", "\\u00a0a.b"] {
        let message = json_error(&format!("{{\"policies\":{{\"a.b\":{{}},\n\"{second}\":{{}}}}}}"));
        assert!(message.contains("\"a.b\"") && message.contains("twice"), "{message}");
        assert!(message.contains("line 2"), "{message}");
    }
    let message = toml_error("[policies.\"a.b\".retry]\n[policies.\" a . b \".hedge]\n");
    assert!(message.contains("\"a.b\"") && message.contains("twice"), "{message}");
    assert!(toml_error("[policies.\"a.b\"]\n[policies.\"a.b\"]\n").contains("line 2"));
    let both = json_error(r#"{"policies":{},"policies":{}}"#);
    assert!(both.contains("`policies`"), "{both}");
}

#[test]
fn a_text_that_is_no_key_is_shown_with_its_place() {
    for text in ["", "..", " . "] {
        for message in [
            json_error(&format!("{{\"policies\":{{\n\"{text}\":{{}}}}}}")),
            toml_error(&format!("\n[policies.\"{text}\"]\n")),
        ] {
            assert!(message.contains(&format!("{text:?} is not a key")), "{message}");
            assert!(message.contains("line 2"), "{message}");
        }
    }
}

/// Values that are no whole number of 32 bits.
const NO_COUNTS: [&str; 5] = ["-1", "1.5", "4294967296", "99999999999999999999", "\"three\""];

/// Values that are no duration.
const NO_TIMES: [&str; 6] = ["5", "0.5", "-5", "\"5\"", "\"-5ms\"", "\"99999999999999999999s\""];

/// Fields, and values that they must refuse.
const REFUSED: [(&str, &str, &[&str]); 13] = [
    ("retry", "max_attempts", &NO_COUNTS),
    ("hedge", "max_hedges", &NO_COUNTS),
    ("circuit", "threshold", &NO_COUNTS),
    ("retry", "initial_backoff", &NO_TIMES),
    ("retry", "max_backoff", &NO_TIMES),
    ("retry", "max_server_delay", &NO_TIMES),
    ("retry", "timeout_per_attempt", &NO_TIMES),
    ("retry", "overall_timeout", &NO_TIMES),
    ("hedge", "hedge_delay", &NO_TIMES),
    ("circuit", "cooldown", &NO_TIMES),
    ("retry", "backoff_multiplier", &["\"two\"", "\"NaN\"", "[2]"]),
    ("retry", "jitter", &["\"fulll\"", "\"\"", "3"]),
    ("hedge", "enabled", &["\"yes\"", "1"]),
];

#[test]
fn a_bad_value_is_refused_at_its_place() {
    for (part, field, values) in REFUSED {
        for value in values {
            let place = format!("{field} = {value}");
            let json = json_error(&json(part, field, value));
            assert!(json.contains("line 5 column"), "{place}: {json}");
            let toml = toml_error(&toml(part, field, value));
            assert!(toml.contains("line 5, column") && toml.contains(&place), "{place}: {toml}");
        }
    }
}

#[test]
fn a_bad_value_is_refused_with_its_field_and_what_is_allowed() {
    let mut poor = Vec::new();
    for (part, field, values) in REFUSED.into_iter().filter(|(_, field, _)| *field != "enabled") {
        let allowed = limits::allowed(&format!("{part}.{field}"));
        for value in values {
            for (format, message) in [
                ("JSON", json_error(&json(part, field, value))),
                ("TOML", toml_error(&toml(part, field, value))),
            ] {
                if !message.contains(field) || !message.contains(allowed) {
                    poor.push(format!("{format} {part}.{field} = {value} (allowed: {allowed}): {message}"));
                }
            }
        }
    }
    let few = poor.iter().take(4).cloned().collect::<Vec<_>>().join("\n");
    assert!(poor.is_empty(), "{} messages lack field or limits, such as\n{few}", poor.len());
}

#[test]
fn a_budget_cost_is_checked_like_every_number() {
    for value in NO_COUNTS {
        for part in ["retry", "hedge"] {
            let message = json_error(&json(part, "budget", &format!("{{\"name\":\"x\",\"cost\":{value}}}")));
            assert!(message.contains("at least 1") && message.contains("line 5"), "{message}");
        }
    }
}

#[test]
fn numbers_that_no_format_can_hold_are_refused_at_their_place() {
    assert!(json_error(&json("retry", "backoff_multiplier", "1e999")).contains("line 5"));
    assert!(toml_error(&toml("retry", "backoff_multiplier", "1e999")).contains("line 5"));
    assert!(json_error(&json("retry", "backoff_multiplier", "null")).contains("line 5"));
    assert!(json_error(&json("retry", "backoff_multiplier", "NaN")).contains("line 5"));
}

#[test]
fn numbers_that_a_format_holds_but_a_policy_does_not_are_refused_when_normalised() {
    for value in ["nan", "inf", "-inf", "-2.0"] {
        let set: PolicySet = ::toml::from_str(&toml("retry", "backoff_multiplier", value)).unwrap();
        let policy = &set.policies[&Key::from_static("a.b")];
        let error = policy.normalize(PolicySource::Static).unwrap_err();
        assert_eq!(error.field, "retry.backoff_multiplier");
    }
}

#[test]
fn zero_and_values_outside_the_limits_are_read_and_then_normalised() {
    let text = r#"{"max_attempts":0,"initial_backoff":0,"max_backoff":"0s","overall_timeout":0,"max_server_delay":"1h"}"#;
    let policy: Policy = serde_json::from_str(&format!("{{\"retry\":{text}}}")).unwrap();
    let effective = policy.normalize(PolicySource::Remote).unwrap();
    let changes: Vec<String> = effective.changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "retry.max_attempts = 0 became 3",
            "retry.initial_backoff = 0ns became 10ms",
            "retry.max_backoff = 0ns became 250ms",
            "retry.max_server_delay = 3600s became 300s",
            "retry.overall_timeout = 0s became off",
        ]
    );
}

#[test]
fn a_timeout_is_off_in_several_spellings() {
    for (value, wanted) in [
        ("\"off\"", None),
        ("\" off \"", None),
        ("null", None),
        ("\"250ms\"", Some(ms(250))),
        ("\"2m\"", Some(ms(120_000))),
        ("0", Some(Duration::ZERO)),
    ] {
        let set: PolicySet = serde_json::from_str(&json("retry", "overall_timeout", value)).unwrap();
        assert_eq!(set.policies[&Key::from_static("a.b")].retry.overall_timeout, wanted, "{value}");
    }
}

#[test]
fn a_key_in_two_spellings_is_shown_with_both() {
    let message = toml_error("[policies.\"a.b\"]\n[policies.\"a . b\"]\n");
    let both = "the key \"a.b\" stands twice: as \"a . b\" and as \"a.b\"";
    assert!(message.contains("TOML parse error at line") && message.contains(both), "{message}");
}

#[test]
fn a_list_is_no_policy_wherever_it_stands() {
    for (text, says) in [
        ("[]", "a policy file to be a table"),
        (r#"{"default":[]}"#, "a policy to be a table"),
        (r#"{"policies":{"a.b":["id"]}}"#, "a policy to be a table"),
        (r#"{"policies":{"a.b":7}}"#, "a policy to be a table"),
        (r#"{"policies":{"a.b":{"retry":[5,"1s"]}}}"#, "retry to be a table"),
        (r#"{"policies":{"a.b":{"hedge":[true]}}}"#, "hedge to be a table"),
        (r#"{"policies":{"a.b":{"circuit":[true]}}}"#, "circuit to be a table"),
        (r#"{"policies":{"a.b":{"retry":{"budget":["b"]}}}}"#, "budget to be a table"),
        (r#"{"policies":{"a.b":{"retry":{"budget":"retries"}}}}"#, "budget to be a table"),
    ] {
        let message = json_error(text);
        assert!(message.contains(says) && message.contains("line 1 column"), "{text}: {message}");
    }
    assert!(toml_error("[policies.\"a.b\"]\nretry = [7]\n").contains("retry to be a table"));
}

#[test]
fn a_flag_or_a_name_of_another_type_is_named_with_what_is_allowed() {
    for (part, field, value, allowed) in [
        ("hedge", "enabled", "\"yes\"", "true or false"),
        ("circuit", "enabled", "1", "true or false"),
        ("hedge", "cancel_on_first_terminal", "\"no\"", "true or false"),
        ("retry", "classifier_name", "5", "a registered classifier's name"),
        ("hedge", "trigger_name", "true", "a registered trigger's name"),
        ("circuit", "breaker_name", "5", "a registered breaker's name"),
    ] {
        for message in [json_error(&json(part, field, value)), toml_error(&toml(part, field, value))] {
            assert!(message.contains(&format!("{field} to be")) && message.contains(allowed), "{message}");
        }
    }
    assert!(json_error(r#"{"default":{"id":5}}"#).contains("id to be a text"));
}

#[test]
fn a_unit_that_is_easily_mistaken_is_refused() {
    for text in ["1M", "1y", "2w", "3 fortnights"] {
        let message = toml_error(&toml("circuit", "cooldown", &format!("\"{text}\"")));
        assert!(message.contains(text) && message.contains("min, h or d"), "{message}");
    }
}
