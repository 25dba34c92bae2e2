//! A prompt gives the same bits whether its beginning was kept or is computed.

use std::sync::atomic::AtomicBool;

use lightbox_kernels::KvDtype;

use crate::caches::Shelf;
use crate::{
    CacheKind, CacheStore, Content, Engine, Generation, LoadOptions, LocalEngine, Part, Request, RgbImage,
    Role, Turn, phantom,
};

fn picture(seed: usize) -> RgbImage {
    let pixels = (0..60 * 40 * 3).map(|i| ((i * 7 + i / 180 * 13 + seed * 29) % 251) as u8).collect();
    RgbImage::new(60, 40, pixels).expect("the length fits")
}

/// Words before the pictures, the pictures, words after them; then answers and further questions by turns.
fn request(before: &str, pictures: &[usize], turns: &[&str], max_tokens: usize) -> Request {
    let parts = [Part::Text(before.to_owned())]
        .into_iter()
        .chain((0..pictures.len()).map(Part::Image))
        .chain([Part::Text(turns[0].to_owned())])
        .collect();
    let mut conversation = vec![Turn { role: Role::User, content: Content::Parts(parts) }];
    for (i, text) in turns[1..].iter().enumerate() {
        let role = if i % 2 == 0 { Role::Assistant } else { Role::User };
        conversation.push(Turn { role, content: Content::Text((*text).to_owned()) });
    }
    let mut request = Request::new(conversation, pictures.iter().map(|seed| picture(*seed)).collect());
    request.max_tokens = Some(max_tokens);
    request.logprobs = Some(2);
    request
}

fn load(options: LoadOptions) -> LocalEngine {
    let options = LoadOptions { n_threads: Some(1), ..options };
    LocalEngine::load(&phantom::files(), "phantom", &options, &mut |_| {}).expect("the bundled model")
}

fn plain() -> LocalEngine {
    load(LoadOptions { prefix_cache_bytes: Some(0), ..LoadOptions::default() })
}

fn generate(engine: &mut LocalEngine, request: &Request) -> Generation {
    engine.generate(request, &AtomicBool::new(false), &mut |_| {}).expect("a generation")
}

/// Ids and the bits of their log-probabilities, of the prompt too where it was asked for.
fn bits(generation: &Generation) -> Vec<(u32, u32)> {
    let prompt = generation.prompt_logprobs.iter().flatten().flatten();
    let answer = generation.logprobs.iter().flatten();
    prompt.chain(answer).map(|token| (token.id, token.logprob.to_bits())).collect()
}

/// Tokens that two prompts begin with, without the last one and not into a picture that they do not share.
fn shared(one: &Generation, other: &Generation) -> usize {
    let ids = one.prompt.ids.iter().zip(&other.prompt.ids);
    ids.take_while(|(a, b)| a == b).count().min(other.prompt.ids.len() - 1)
}

const LONG: &str = "the quick brown film shows both lungs, the heart and the ribs of nobody at all. ";

#[test]
fn a_second_question_computes_only_what_differs() {
    let (mut engine, mut plain) = (load(LoadOptions::default()), plain());
    for before in [String::new(), LONG.repeat(6)] {
        let first = generate(&mut engine, &request(&before, &[1, 2], &["is there a fracture?"], 3));
        for question in
            ["where is it?", "is there air under the diaphragm, and is the heart large?", "where is it"]
        {
            let asked = request(&before, &[1, 2], &[question], 3);
            let second = generate(&mut engine, &asked);
            assert!(second.timings.prefix_tokens >= shared(&first, &second), "{question}");
            assert!(second.timings.prefix_tokens >= second.prompt.image_spans[1].end, "{question}");
            assert_eq!((second.timings.images_in_prefix, second.timings.images_encoded), (2, 0));
            let expected = generate(&mut plain, &asked);
            assert_eq!(expected.timings.prefix_tokens, 0);
            assert_eq!(bits(&second), bits(&expected), "{question}");
        }
        // Another second picture: nothing of it is taken over, nor of what follows.
        let asked = request(&before, &[1, 3], &["is there a fracture?"], 3);
        let other = generate(&mut engine, &asked);
        assert!(other.timings.prefix_tokens <= other.prompt.image_spans[1].start);
        assert!(other.timings.prefix_tokens >= other.prompt.image_spans[0].end);
        assert_eq!(bits(&other), bits(&generate(&mut plain, &asked)));
    }
    engine.forget_prefixes();
    let again = generate(&mut engine, &request("", &[1, 2], &["where is it?"], 3));
    assert_eq!(again.timings.prefix_tokens, 0);
}

#[test]
fn a_conversation_goes_on_after_its_answer() {
    let (mut engine, mut plain) = (load(LoadOptions::default()), plain());
    let first = generate(&mut engine, &request("", &[1], &["is there a fracture?"], 150));
    let next = request("", &[1], &["is there a fracture?", &first.answer, "and where?"], 4);
    let second = generate(&mut engine, &next);
    // The last token of an answer is said and not fed.
    let (_, fed) = first.ids.split_last().expect("an answer");
    let said = first.prompt.ids.iter().chain(fed);
    let n_shared = said.zip(&second.prompt.ids).take_while(|(a, b)| a == b).count();
    assert!(n_shared > first.prompt.ids.len(), "some of the answer comes back as the tokens that it was");
    assert!(second.timings.prefix_tokens >= n_shared, "{} of {n_shared}", second.timings.prefix_tokens);
    assert_eq!(bits(&second), bits(&generate(&mut plain, &next)));
    // The same request once more computes its last token only.
    let again = generate(&mut engine, &next);
    assert_eq!(again.timings.prefix_tokens, again.prompt.ids.len() - 1);
    assert_eq!(bits(&again), bits(&second));
}

/// Requests in random order that share beginnings, under budgets that hold all of them, some, and none.
#[test]
fn whatever_was_asked_before_changes_no_bit() {
    let befores = [String::new(), LONG.to_owned(), LONG.repeat(4)];
    let questions = ["why?", "is the heart large?", &LONG.repeat(2)];
    let pictures: [&[usize]; 5] = [&[], &[1], &[1, 2], &[2, 1], &[1, 2, 3, 4, 5]];
    let mut plain = plain();
    let mut known = std::collections::HashMap::new();
    let mut taken = Vec::new();
    for (chunk, budget, kv) in [
        (16, None, None),
        (50, Some(3 << 20), None),
        (512, Some(1 << 20), None),
        (64, None, Some(KvDtype::F16)),
        (30, Some(64 << 10), None),
    ] {
        let mut engine = load(LoadOptions {
            chunk_tokens: Some(chunk),
            prefix_cache_bytes: budget,
            kv,
            ..LoadOptions::default()
        });
        let mut state = 7u64 + chunk as u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let mut from_cache = 0;
        for _ in 0..14 {
            let choice = [below(3), below(5), below(3), [1, 5, 90][below(3)]];
            let asked = request(&befores[choice[0]], pictures[choice[1]], &[questions[choice[2]]], choice[3]);
            let expected = known.entry(choice).or_insert_with(|| bits(&generate(&mut plain, &asked))).clone();
            let found = generate(&mut engine, &asked);
            from_cache += found.timings.prefix_tokens;
            assert_eq!(bits(&found), expected, "chunks of {chunk}, {choice:?}");
            let budget = budget.unwrap_or(1 << 30);
            assert!(engine.prefixes.held_bytes() <= budget, "{} bytes", engine.prefixes.held_bytes());
        }
        taken.push(from_cache);
    }
    let (small, others) = taken.split_last().expect("some budgets");
    assert!(others.iter().all(|n| n > small && *n > 100), "tokens from the cache: {taken:?}");
}

#[test]
fn log_probabilities_of_a_prompt_are_complete() {
    let (mut engine, mut plain) = (load(LoadOptions::default()), plain());
    let mut asked = request(LONG, &[1], &["is there a fracture?"], 3);
    generate(&mut engine, &asked);
    asked.prompt_logprobs = Some(1);
    let found = generate(&mut engine, &asked);
    assert_eq!(found.timings.prefix_tokens, 0);
    assert_eq!(found.prompt_logprobs.as_ref().map(Vec::len), Some(found.prompt.ids.len()));
    assert_eq!(bits(&found), bits(&generate(&mut plain, &asked)));
}

/// A store that takes pictures only.
struct PicturesOnly(Shelf);

impl CacheStore for PicturesOnly {
    fn keeps(&self, kind: CacheKind) -> bool {
        kind == CacheKind::Image
    }

    fn get(&mut self, kind: CacheKind, key: &[u8; 32]) -> Option<Vec<u8>> {
        self.0.get(kind, key)
    }

    fn put(&mut self, kind: CacheKind, key: &[u8; 32], bytes: &[u8]) {
        assert_eq!(kind, CacheKind::Image, "a prefix was written for nothing");
        self.0.put(kind, key, bytes);
    }

    fn remove(&mut self, kind: CacheKind, key: &[u8; 32]) {
        self.0.remove(kind, key);
    }
}

#[test]
fn a_store_gives_another_engine_what_one_computed() {
    let mut plain = plain();
    for before in [String::new(), LONG.repeat(5)] {
        let shelf = Shelf::default();
        let engine = |kv| {
            let mut engine = load(LoadOptions { kv, ..LoadOptions::default() });
            engine.attach(Some(Box::new(shelf.clone())));
            engine
        };
        generate(&mut engine(None), &request(&before, &[1, 2], &["is there a fracture?"], 3));
        let asked = request(&before, &[1, 2], &["where is it, and how large?"], 3);
        let expected = bits(&generate(&mut plain, &asked));
        let found = generate(&mut engine(None), &asked);
        assert!(found.timings.prefix_tokens >= found.prompt.image_spans[1].end, "{:?}", found.timings);
        assert_eq!((bits(&found), found.timings.images_in_prefix), (expected.clone(), 2));
        // Another type of keys and values knows none of it.
        assert_eq!(generate(&mut engine(Some(KvDtype::F32)), &asked).timings.prefix_tokens, 0);

        // Entries that are not what was put are removed, and what they held is computed.
        let prefixes = |shelf: &Shelf| -> Vec<[u8; 32]> {
            let held = shelf.0.lock().expect("one thread");
            held.iter().filter(|(_, bytes)| bytes.starts_with(b"LBXPFX")).map(|(key, _)| *key).collect()
        };
        let alter: [fn(&mut Vec<u8>); 5] = [
            |bytes| bytes.truncate(bytes.len() - 1),
            |bytes| *bytes.last_mut().expect("not empty") ^= 1,
            |bytes| bytes[9] ^= 1,
            |bytes| bytes[75] ^= 1,
            |bytes| bytes[7] ^= 1,
        ];
        for alter in alter {
            let before = prefixes(&shelf).len();
            for key in prefixes(&shelf) {
                alter(shelf.0.lock().expect("one thread").get_mut(&key).expect("just listed"));
            }
            let found = generate(&mut engine(None), &asked);
            assert_eq!((found.timings.prefix_tokens, bits(&found)), (0, expected.clone()));
            assert!(before > 0 && !prefixes(&shelf).is_empty(), "what was computed is kept again");
            let found = generate(&mut engine(None), &asked);
            assert!(found.timings.prefix_tokens > 0, "the new entries hold");
        }
    }
    // What memory has no room for goes to the store all the same.
    let shelf = Shelf::default();
    let engine = || {
        let mut engine = load(LoadOptions { prefix_cache_bytes: Some(1), ..LoadOptions::default() });
        engine.attach(Some(Box::new(shelf.clone())));
        engine
    };
    generate(&mut engine(), &request("", &[1, 2], &["is there a fracture?"], 3));
    let asked = request("", &[1, 2], &["where is it, and how large?"], 3);
    let mut second = engine();
    let found = generate(&mut second, &asked);
    assert!(found.timings.prefix_tokens >= found.prompt.image_spans[1].end, "{:?}", found.timings);
    assert_eq!(bits(&found), bits(&generate(&mut plain, &asked)));
    assert_eq!(second.prefixes.held_bytes(), 0);

    let mut engine = load(LoadOptions::default());
    engine.attach(Some(Box::new(PicturesOnly(Shelf::default()))));
    generate(&mut engine, &request("", &[1], &["is there a fracture?"], 70));
}
