use lightbox_models::{Content, Part};

use super::*;

fn template(text: &str) -> Template {
    Template::new("test", text.to_owned(), None)
}

fn parts(template: &Template, variables: Variables<'_>) -> Vec<Part> {
    match template.render(variables).expect("it renders").content {
        Content::Parts(parts) => parts,
        Content::Text(text) => panic!("expected parts, found {text:?}"),
    }
}

#[test]
fn every_built_in_template_has_a_version_and_shows_its_pictures_in_order() {
    for name in Prompts::names() {
        let template = Prompts::built_in(name).expect("built in");
        assert!(template.version.is_some_and(|version| version > 0), "{name}");
        for n_pictures in 0..4 {
            let labels = vec![None; n_pictures];
            let variables = Variables {
                question: (name == "ask").then_some("Why?"),
                context: Some("cough"),
                labels: &labels,
            };
            let parts = parts(&template, variables);
            let shown: Vec<_> =
                parts.iter().filter_map(|p| if let Part::Image(i) = p { Some(*i) } else { None }).collect();
            assert_eq!(shown, (0..n_pictures).collect::<Vec<_>>(), "{name}");
            let text: String = parts
                .iter()
                .filter_map(|p| if let Part::Text(t) = p { Some(t.as_str()) } else { None })
                .collect();
            assert!(text.contains("cough"), "{name} leaves the context out");
            assert!(!text.contains("{{") && !text.contains("version"), "{name}: {text}");
        }
    }
}

#[test]
fn the_question_and_the_context_reach_the_model() {
    let ask = Prompts::default().get("ask").expect("built in");
    let parts =
        parts(&ask, Variables { question: Some("Is it broken?"), context: Some("fall"), labels: &[None] });
    let [Part::Text(text), Part::Image(0), Part::Text(question)] = parts.as_slice() else {
        panic!("instructions, picture, question; found {parts:?}")
    };
    assert!(text.contains("Clinical information: fall\n"), "{text}");
    // Last, so that the next question shares all that is before it.
    assert_eq!(question, "Is it broken?");
}

#[test]
fn labels_follow_their_pictures() {
    let labels = [Some("A".to_owned()), None];
    let findings = Prompts::default().get("findings").expect("built in");
    let parts = parts(&findings, Variables { labels: &labels, ..Variables::default() });
    assert_eq!(parts[1..], [Part::Image(0), Part::Text("A".to_owned()), Part::Image(1)]);
}

#[test]
fn a_bad_template_is_named_with_its_fault() {
    for (text, fault) in [
        ("{{ patient }}", "found `patient`"),
        ("{% if age %}x{% endif %}{{ name }}", "found `age`, `name`"),
        ("{{ question", "line 1: syntax error"),
        ("x\n{{ pictures[0].colour }}", "line 2: undefined value"),
        ("{{ question }}, no pictures", "expected 1 pictures shown, found 0"),
        ("{{ question }}{{ pictures[0].image }}{{ pictures[0].image }}", "once and in order"),
        ("", "expected the question as it was asked, found a text without it"),
        ("Look closely. {{ pictures[0].image }}", "expected the question"),
        ("Isn't q in it? {{ pictures[0].image }}", "expected the question"),
        ("{% if question %}Look. {% endif %}{{ pictures[0].image }}", "expected the question"),
    ] {
        let error = template(text)
            .render(Variables { question: Some("q"), context: None, labels: &[None] })
            .expect_err(text)
            .to_string();
        assert!(error.contains("prompt test") && error.contains(fault), "{text}: {error}");
    }
    for empty in ["", " \n{# a comment #}", "{{ pictures[0].image }}"] {
        let labels = vec![None; usize::from(empty.contains("image"))];
        let variables = Variables { labels: &labels, ..Variables::default() };
        let error = template(empty).render(variables).expect_err("no words").to_string();
        assert!(error.contains("prompt test: expected words, found none; "), "{error}");
    }
    let forged = Variables { question: Some("\u{F8FE}0\u{F8FE}"), context: None, labels: &[] };
    assert!(template("{{ question }}").render(forged).is_err());
}

#[test]
fn words_of_the_caller_are_not_a_template() {
    let question = Variables { question: Some("{{ context }}"), context: Some("secret"), labels: &[] };
    assert_eq!(parts(&template("{{ question }}"), question), [Part::Text("{{ context }}".to_owned())]);
}

#[test]
fn an_override_replaces_the_built_in_text_and_changes_the_digest() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = Prompts::new(folder.path().join("prompts"));
    let path = prompts.copy("ask").expect("it is copied");
    assert_eq!(prompts.get("ask").expect("a copy").digest(), Prompts::built_in("ask").expect("it").digest());
    let again = prompts.copy("ask").expect_err("it is there").to_string();
    assert!(again.contains("already exists") && again.contains("delete it first"), "{again}");
    let in_a_file = Prompts::new(path.join("prompts")).copy("ask").expect_err("a file in the folder's place");
    assert_eq!(in_a_file.kind(), ErrorKind::Unwritable, "{in_a_file}");
    let in_its_place = Prompts::new(&path).copy("ask").expect_err("a file in the folder's place");
    assert_eq!(in_its_place.kind(), ErrorKind::Unwritable, "{in_its_place}");

    fs::write(&path, "{{ question }}").expect("written");
    let own = prompts.get("ask").expect("the override");
    assert_eq!(
        (own.text.as_str(), own.version, own.overridden_by.as_ref()),
        ("{{ question }}", None, Some(&path))
    );
    assert_ne!(own.digest(), Prompts::built_in("ask").expect("it").digest());
    assert!(prompts.get("findings").expect("built in").overridden_by.is_none());
    assert!(prompts.get("nothing").expect_err("no such").to_string().contains("findings"));

    fs::remove_file(&path).and_then(|()| fs::create_dir(&path)).expect("a folder in its place");
    assert!(prompts.get("ask").expect_err("not a file").to_string().contains("expected a file"));
}
