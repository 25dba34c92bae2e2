//! From a study through a task and an engine to a reading, and back.

mod engine;

use std::sync::atomic::{AtomicBool, Ordering};

use engine::TextEngine;
use lightbox_intake::Study;
use lightbox_models::{Content, Event, Finish, Part, Role, Turn};
use lightbox_reading::answers::Answer;
use lightbox_reading::prompts::{Prompts, THINKING};
use lightbox_reading::tasks::{TASKS, Task, task};
use lightbox_reading::views::make_one;
use lightbox_reading::{Assignment, ErrorKind, MEDGEMMA_1_5_4B, Reading, Wishes};

/// A study of films of 70 × 86 pixels, one a seed.
fn study(seeds: &[u64]) -> Study {
    let mut study = Study::default();
    for seed in seeds {
        let film = lightbox_phantoms::film_of_height(*seed, 86);
        study.append(lightbox_intake::read(&film.png16()).expect("a film"));
    }
    study
}

fn assignment(name: &str, study: &Study, wishes: Wishes) -> Assignment {
    Assignment::new(task(name).expect("a task"), study, &Prompts::default(), wishes).expect("an assignment")
}

fn run(assignment: &mut Assignment, engine: &mut TextEngine) -> Reading {
    assignment.run(engine, &AtomicBool::new(false), &mut |_| {}).expect("a reading")
}

fn question(text: &str) -> Wishes {
    Wishes { question: Some(text.to_owned()), ..Wishes::default() }
}

#[test]
fn a_reading_says_what_went_in_and_what_came_out() {
    let study = study(&[1, 2]);
    let mut assignment = assignment("findings", &study, Wishes { think: true, ..Wishes::default() });
    let mut engine = TextEngine::says("FINDINGS\n- Clear.\nNOT ASSESSED\nNone\nSUMMARY\nNormal.");
    let reading = run(&mut assignment, &mut engine);

    assert_eq!((reading.task.as_str(), reading.inputs.len()), ("findings@1", 2));
    assert_eq!(reading.templates[0].name, "findings");
    assert!(!reading.templates[0].overridden && reading.templates[0].version == Some(1));
    let Answer::Complete { value } = &reading.answer else { panic!("{:?}", reading.answer) };
    assert_eq!(value["findings"][0], "Clear.");
    assert_eq!(
        reading.views.iter().map(|view| view.label.as_deref()).collect::<Vec<_>>(),
        [Some("IMAGE 1"), Some("IMAGE 2")]
    );
    assert_eq!(reading.request.turns[0].content, Content::Text(THINKING.to_owned()));
    assert_eq!(reading.request.turns[0].role, Role::System);
    assert_eq!(reading.budget.image_tokens, 2 * engine::TOKENS_PER_IMAGE);
    assert!(!reading.budget.estimated);
    assert!(reading.started_unix_ms > 1_700_000_000_000);
    // What the engine got is what the record says, and is kept for who wants to store it.
    assert_eq!(engine.requests[0].images, assignment.request.images);
    assert_eq!(engine.requests[0].turns, reading.request.turns);
    assert_eq!(reading.request.logprobs, Some(5));
}

#[test]
fn a_reading_survives_being_written() {
    let study = study(&[3]);
    for (task, text) in [
        ("ask", "It is."),
        ("findings", "no form"),
        ("differential", "- Scar [common]: a line\nNot a diagnosis."),
        ("differential", "Cannot assess: blank."),
    ] {
        let wishes = if task == "ask" { question("Is it?") } else { Wishes::default() };
        let reading = run(&mut assignment(task, &study, wishes), &mut TextEngine::says(text));
        let json = serde_json::to_string(&reading).expect("written");
        let back: Reading = serde_json::from_str(&json).expect("read");
        assert_eq!(back, reading);
        assert!(!json.contains("pixels"), "a reading holds no pixels");
    }
}

#[test]
fn the_same_request_comes_out_of_a_reading_and_its_files() {
    let study = study(&[4, 5]);
    let wishes = Wishes { context: Some("fever".to_owned()), think: true, ..Wishes::default() };
    let mut engine = TextEngine::says("- Scar [rare]\nNot a diagnosis.");
    let reading = run(&mut assignment("differential", &study, wishes), &mut engine);
    // A record's views say enough to make them again.
    let again = reading.views.iter().map(|view| {
        let made = make_one(view.recipe, &study, view.frame, view.label.clone()).expect("a view");
        assert_eq!(made.record, *view);
        made.image
    });
    assert_eq!(reading.request.with_images(again.collect()), engine.requests[0]);
}

#[test]
fn what_the_engine_did_decides_the_state() {
    let study = study(&[8]);
    let text = "FINDINGS\n- Clear.\nSUMMARY\nNormal.";
    for (finish, thinking, text, state) in [
        (Finish::Stop, None, text, "complete"),
        (Finish::StopString, None, text, "complete"),
        (Finish::Stop, Some("hm"), text, "complete"),
        (Finish::Stop, None, "It is clear.", "unreadable"),
        (Finish::Stop, None, "", "unreadable"),
        (Finish::Stop, None, "Cannot assess: the film is blank.", "refused"),
        // A text that would read as complete is not complete if the engine was stopped.
        (Finish::Length, None, text, "truncated"),
        (Finish::ThinkingLength, Some("hm"), "", "truncated"),
        (Finish::Cancelled, None, text, "interrupted"),
    ] {
        let mut engine = TextEngine::says(text);
        (engine.finish, engine.thinking) = (finish, thinking.map(str::to_owned));
        let reading = run(&mut assignment("findings", &study, Wishes::default()), &mut engine);
        assert_eq!(reading.answer.state(), state, "{finish:?} {text:?}");
        let inside = matches!(reading.answer, Answer::Truncated { inside_thinking: true, .. });
        assert_eq!(inside, finish == Finish::ThinkingLength);
    }
}

#[test]
fn cancelling_is_passed_on() {
    let study = study(&[9]);
    let mut engine = TextEngine::says("a b c d");
    let cancel = AtomicBool::new(false);
    // A token a character: the fourth is the space after the second word.
    let mut n_tokens = 0;
    let reading = assignment("findings", &study, Wishes::default())
        .run(&mut engine, &cancel, &mut |event| {
            n_tokens += usize::from(matches!(event, Event::Token { .. }));
            cancel.store(n_tokens == 4, Ordering::Relaxed);
        })
        .expect("a reading");
    assert_eq!(reading.answer, Answer::Interrupted { text: "a b ".to_owned() });
}

#[test]
fn inputs_that_do_not_fit_the_task_are_refused() {
    let film = study(&[10]);
    for (name, study, wishes, words) in [
        ("ask", &film, Wishes::default(), "expected a question, found none"),
        ("ask", &film, question("  "), "expected a question, found none"),
        ("findings", &film, question("why?"), "ask it with the task `ask`"),
        ("findings", &Study::default(), Wishes::default(), "expected at least 1 picture, found 0"),
    ] {
        let task = task(name).expect("a task");
        let error = Assignment::new(task, study, &Prompts::default(), wishes).expect_err(words);
        assert_eq!(error.kind(), ErrorKind::Inputs);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(
        Assignment::new(task("ask").expect("it"), &Study::default(), &Prompts::default(), question("?"))
            .is_ok()
    );
}

#[test]
fn what_does_not_fit_the_model_is_refused_before_it_works() {
    let films = study(&[11, 12]);
    let check = |context: usize, wishes: Wishes, words: &str| {
        let mut engine = TextEngine::says("x");
        engine.card.context_tokens = context;
        let error = assignment("findings", &films, wishes)
            .run(&mut engine, &AtomicBool::new(false), &mut |_| {})
            .expect_err(words);
        assert_eq!(error.kind(), ErrorKind::TooLong, "{error}");
        assert!(error.to_string().contains(words) && error.to_string().contains("fewer pictures"), "{error}");
        assert!(engine.requests.is_empty());
    };
    check(100, Wishes::default(), "expected fewer than the context's 100 tokens");
    check(2000, Wishes { max_tokens: Some(5000), ..Wishes::default() }, "found 5000");
    let both = Wishes { max_tokens: Some(1000), max_thinking_tokens: Some(1000), ..Wishes::default() };
    check(2000, both, "found 2000");

    let mut blind = TextEngine::says("x");
    (blind.card.image_size_px, blind.card.tokens_per_image) = (None, None);
    let error = assignment("findings", &films, Wishes::default()).fit(&blind).expect_err("pictures");
    assert!(error.kind() == ErrorKind::Inputs && error.to_string().contains("text-only"), "{error}");
}

#[test]
fn limits_that_nobody_wished_shrink_to_the_room() {
    let film = study(&[13]);
    let mut engine = TextEngine::says("x");
    for (context, wishes, expected) in [
        (100_000, Wishes::default(), (Some(1000), Some(2000))),
        (0, Wishes::default(), (Some(100), Some(200))),
        (0, Wishes { max_tokens: Some(280), ..Wishes::default() }, (Some(280), Some(20))),
        (100_000, Wishes { max_tokens: Some(7), ..Wishes::default() }, (Some(7), Some(2000))),
    ] {
        let mut assignment = assignment("findings", &film, wishes);
        engine.card.context_tokens = 100_000;
        let prompt = assignment.fit(&engine).expect("room").prompt_tokens();
        // A context that leaves 300 tokens, where the table says 0.
        engine.card.context_tokens = if context == 0 { prompt + 300 } else { context };
        let budget = assignment.fit(&engine).expect("it fits");
        assert_eq!(budget.room_for_answer, engine.card.context_tokens - prompt);
        assert_eq!((assignment.request.max_tokens, assignment.request.max_thinking_tokens), expected);
    }
}

#[test]
fn a_budget_without_weights_says_that_it_is_an_estimate() {
    let budget = assignment("findings", &study(&[14, 15, 16]), Wishes::default()).estimate(&MEDGEMMA_1_5_4B);
    assert_eq!((budget.image_tokens, budget.context_tokens), (3 * 256, 131_072));
    assert!(budget.estimated && (150..800).contains(&budget.text_tokens), "{budget:?}");
    assert_eq!(budget.room_for_answer, 131_072 - 768 - budget.text_tokens);
}

#[test]
fn turns_of_the_caller_are_taken_as_they_are() {
    let film = study(&[17]);
    let turn = |parts: Vec<Part>| vec![Turn { role: Role::User, content: Content::Parts(parts) }];
    let turns = turn(vec![Part::Image(0), Part::Text("  what?  ".to_owned())]);
    let wishes =
        Wishes { max_tokens: Some(9), stop: vec!["\n".to_owned()], logprobs: Some(8), ..Wishes::default() };
    let mut assignment = Assignment::raw(&film, turns.clone(), wishes.clone()).expect("it fits");
    let mut engine = TextEngine::says("");
    let reading = run(&mut assignment, &mut engine);
    let request = &engine.requests[0];
    assert_eq!((&request.turns, request.max_tokens, request.max_thinking_tokens), (&turns, Some(9), None));
    assert_eq!((&request.stop, request.logprobs), (&wishes.stop, Some(8)));
    // Not padded: raw is raw. An empty answer is an answer.
    assert_eq!((request.images[0].width(), request.images[0].height()), (70, 86));
    assert_eq!(reading.answer, Answer::Complete { value: "".into() });
    assert_eq!(reading.task, "run@1");
    assert_eq!(reading.request.with_images(request.images.clone()), *request);

    for turns in [turn(Vec::new()), turn(vec![Part::Image(0), Part::Image(0)]), turn(vec![Part::Image(1)])] {
        let error = Assignment::raw(&film, turns, Wishes::default()).expect_err("pictures");
        assert_eq!(error.kind(), ErrorKind::Inputs, "{error}");
    }
}

#[test]
fn a_conversation_that_would_lose_words_is_refused() {
    let text = |text: &str| Part::Text(text.to_owned());
    let parts = |role, parts: &[Part]| Turn { role, content: Content::Parts(parts.to_vec()) };
    let words = |role, text: &str| Turn { role, content: Content::Text(text.to_owned()) };
    let user = words(Role::User, "What is it?");
    let (system, assistant) = (words(Role::System, "Be brief."), words(Role::Assistant, "A film."));
    let study = study(&[19]);
    let (none, film) = (&Study::default(), &study);
    for (study, turns, found) in [
        (none, vec![], "expected at least one user turn, found none"),
        (none, vec![system.clone()], "expected at least one user turn, found none"),
        (none, vec![system.clone(), assistant.clone()], "expected at least one user turn, found none"),
        (none, vec![parts(Role::System, &[text("a"), text("b")]), user.clone()], "turn 1: expected one text"),
        (none, vec![parts(Role::System, &[]), user.clone()], "found 0 and 0 pictures"),
        (
            film,
            vec![parts(Role::System, &[text("a"), Part::Image(0)]), user.clone()],
            "found 1 and 1 pictures",
        ),
    ] {
        let error = Assignment::raw(study, turns, Wishes::default()).expect_err(found);
        assert_eq!(error.kind(), ErrorKind::Inputs, "{error}");
        assert!(error.to_string().contains(found) && error.to_string().contains("; "), "{error}");
    }
    for turns in [
        vec![system, user.clone(), assistant, user.clone()],
        vec![parts(Role::System, &[text("a")]), user.clone()],
        vec![parts(Role::User, &[text("a"), text("b")])],
    ] {
        assert!(Assignment::raw(none, turns, Wishes::default()).is_ok());
    }
}

#[test]
fn every_task_words_itself() {
    for task in TASKS {
        let wishes = if task.takes_question { question("What is it?") } else { Wishes::default() };
        let assignment = Assignment::new(task, &study(&[18]), &Prompts::default(), wishes).expect(task.name);
        assert_eq!(assignment.request.turns.len(), 1);
        assert_eq!(lightbox_reading::tasks::task(task.name).map(Task::id), Some(task.id()));
        assert!(!task.about.is_empty() && !task.about.ends_with('.'));
    }
}
