//! A record beside a new run of it: identical, or what differs first and why.

use crate::sample::{append, card, film, generation, open, value, view};
use lightbox_models::{Finish, Generation, RgbImage};
use lightbox_records::{Body, Comparison, Difference, Digest, Picture, compare, compare_conditions};
use serde_json::json;

fn recorded(finish: Finish) -> Body {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = append(&records, &[film(b"film")], false, finish).expect("works");
    records.get(&id.to_string()).expect("just recorded").body
}

fn picture(image: &RgbImage) -> Picture {
    Picture { width: image.width(), height: image.height(), sha256: Digest::of(image.pixels()).to_string() }
}

fn beside(body: &Body, now: &Generation) -> Comparison {
    compare(body, Vec::new(), now, &|id| format!("<{id}>"))
}

fn changed(change: impl FnOnce(&mut Generation)) -> Generation {
    let mut now = generation(Finish::Stop);
    change(&mut now);
    now
}

#[test]
fn the_same_run_is_identical_to_the_bit() {
    let now = changed(|now| now.timings.decode_ms = 99.0);
    let found = beside(&recorded(Finish::Stop), &now);
    assert!(found.identical, "{found:?}");
    assert_eq!(found.same_tokens, 3);
    let logprobs = found.logprobs.expect("both have them");
    assert_eq!((logprobs.compared, logprobs.same, logprobs.largest_difference), (3, 3, 0.0));
}

#[test]
fn the_first_token_that_differs_is_shown_with_both_sets_of_alternatives() {
    let now = changed(|now| {
        now.ids = vec![11, 112, 14];
        let all = now.logprobs.as_mut().expect("the sample has them");
        all[1].top.reverse();
        all[1].id = 112;
        all[1].logprob = all[1].top[0].logprob;
    });
    let found = beside(&recorded(Finish::Stop), &now);
    assert!(!found.identical && found.same_tokens == 1 && found.differences.len() == 1, "{found:?}");
    let written = value(&found.differences[0]);
    assert_eq!((&written["what"], &written["position"]), (&json!("token"), &json!(1)));
    assert_eq!(written["recorded"]["token"]["text"], "<12>");
    assert_eq!(written["now"]["token"]["id"], 112);
    let ids = |side: &str| -> Vec<_> {
        written[side]["top"].as_array().expect("a list").iter().map(|one| one["id"].as_u64()).collect()
    };
    assert_eq!(ids("recorded"), [Some(12), Some(112)]);
    assert_eq!(ids("now"), [Some(112), Some(12)]);
    assert_eq!(found.logprobs.expect("both have them").compared, 1, "only tokens that are the same");
}

#[test]
fn a_generation_that_ends_sooner_or_later_differs_where_it_ends() {
    for (ids, recorded_id, now_id) in [(vec![11, 12], Some(13), None), (vec![11, 12, 13, 14], None, Some(14))]
    {
        let found = beside(&recorded(Finish::Stop), &changed(|now| now.ids = ids));
        match &found.differences[..] {
            [Difference::Token { recorded, now, .. }] => {
                assert_eq!(recorded.token.as_ref().map(|token| token.id), recorded_id);
                assert_eq!(now.token.as_ref().map(|token| token.id), now_id);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_prompt_the_ending_and_the_text_are_compared_too() {
    let body = recorded(Finish::Stop);
    let cases: [(&str, Generation); 5] = [
        ("prompt", changed(|now| now.prompt.ids[5] = 8)),
        ("prompt", changed(|now| now.prompt.ids.push(8))),
        ("finish", changed(|now| now.finish = Finish::Length)),
        ("text", changed(|now| now.answer.push('!'))),
        ("text", changed(|now| now.thinking = Some(String::new()))),
    ];
    for (what, now) in &cases {
        let found = beside(&body, now);
        assert!(!found.identical, "{what}");
        assert_eq!(value(&found.differences[0])["what"], *what);
        assert_eq!((found.differences.len(), found.same_tokens), (1, 3), "{what}");
    }
    let position = |now: &Generation| match beside(&body, now).differences[0] {
        Difference::Prompt { position, recorded, now } => (position, recorded, now),
        ref other => panic!("{other:?}"),
    };
    assert_eq!(position(&cases[0].1), (5, Some(9), Some(8)));
    assert_eq!(position(&cases[1].1), (6, None, Some(8)));
}

#[test]
fn log_probabilities_that_moved_are_told_and_are_no_difference_of_tokens() {
    let now = changed(|now| now.logprobs.as_mut().expect("the sample has them")[2].logprob = -0.5);
    let found = beside(&recorded(Finish::Stop), &now);
    assert!(found.identical);
    let logprobs = found.logprobs.expect("both have them");
    assert_eq!((logprobs.compared, logprobs.same), (3, 2));
    assert!((logprobs.largest_difference - 0.5).abs() < 1e-6);
    assert_eq!(beside(&recorded(Finish::Stop), &changed(|now| now.logprobs = None)).logprobs, None);
}

#[test]
fn an_interrupted_record_is_compared_up_to_where_it_was_interrupted() {
    let body = recorded(Finish::Cancelled);
    let longer = changed(|now| now.ids = vec![11, 12, 13, 14, 15]);
    let found = beside(&body, &longer);
    assert!(found.identical && found.same_tokens == 3, "{found:?}");
    assert_eq!((found.recorded_until, found.replayed_until), (Some(3), None));
    let other = beside(&body, &changed(|now| now.ids = vec![11, 12, 99, 14]));
    assert!(!other.identical && other.same_tokens == 2);
    let sooner = beside(&body, &changed(|now| now.ids = vec![11]));
    assert!(!sooner.identical && sooner.same_tokens == 1);
    // A replay that stops where the record does has shown all there is to show.
    let stopped = beside(&body, &changed(|now| now.finish = Finish::Cancelled));
    assert!(stopped.identical && stopped.replayed_until == Some(3));
}

#[test]
fn an_interrupted_replay_does_not_claim_to_be_identical() {
    let now = changed(|now| {
        now.finish = Finish::Cancelled;
        now.ids.truncate(2);
    });
    let found = beside(&recorded(Finish::Stop), &now);
    assert!(!found.identical && found.differences.is_empty() && found.same_tokens == 2, "{found:?}");
}

#[test]
fn conditions_that_changed_are_named_each() {
    let body = recorded(Finish::Stop);
    let (images, inputs) = (vec![view()], vec![Digest::of(b"film")]);
    assert_eq!(compare_conditions(&body, &card(), Some(&inputs), &images), []);
    assert_eq!(compare_conditions(&body, &card(), None, &images), [], "kept views stand in for inputs");

    let mut model = card();
    model.digest = "cd".repeat(32);
    model.backend = "avx2+fma, 2 threads".to_owned();
    let image = RgbImage::new(3, 2, vec![0; 18]).expect("fits");
    let now = [Digest::of(b"another film")];
    let found = compare_conditions(&body, &model, Some(&now), std::slice::from_ref(&image));
    let expected = [
        Difference::Model { recorded: "ab".repeat(32), now: "cd".repeat(32) },
        Difference::Input { number: 0, recorded: Some(inputs[0].to_string()), now: Some(now[0].to_string()) },
        Difference::View { number: 0, recorded: Some(picture(&images[0])), now: Some(picture(&image)) },
    ];
    assert_eq!(found, expected);
    let fewer = compare_conditions(&body, &card(), None, &[]);
    assert!(matches!(fewer[..], [Difference::View { number: 0, now: None, .. }]), "{fewer:?}");

    // The same tokens under another model are not an identical replay.
    let beside = compare(&body, found, &generation(Finish::Stop), &|_| String::new());
    assert!(!beside.identical && beside.same_tokens == 3);
}
