//! Views, tasks, prompts, answers: from frames to a reading.
