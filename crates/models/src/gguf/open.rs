//! From paths to a model's files: parts of one that was split, and the projector that lies beside it.

use std::path::{Path, PathBuf};

use super::model::{check_projector, has_vision_inside};
use super::{Gguf, Model};
use crate::config::FILE as CONFIG;
use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

/// Most files that a model may be split into, and most projectors that are looked at.
const MAX_FILES: u64 = 1000;

impl ModelFiles {
    /// What lies at a path: a folder in Hugging Face layout, a GGUF file, or a folder with the GGUF files of one model.
    ///
    /// # Errors
    /// As [`ModelFiles::folder`] and [`ModelFiles::gguf`]; also [`ErrorKind::Files`] for a projector to a folder in
    /// Hugging Face layout, and for a folder with several text models in GGUF, which are listed.
    pub fn at(path: &Path, projector: Option<PathBuf>) -> Result<Self> {
        let is_named_so = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
        if path.is_file() || (is_named_so && !path.is_dir()) {
            return Self::gguf(path, projector);
        }
        let texts = if path.join(CONFIG).exists() { Vec::new() } else { texts(path) };
        match (&texts[..], projector) {
            ([text], projector) => Self::gguf(text, projector),
            ([], None) => Self::folder(path),
            ([], Some(_)) => Err(Error::new(
                ErrorKind::Files,
                format!(
                    "{}: a projector is for models in GGUF; this folder holds a whole model",
                    path.display()
                ),
            )
            .hint("leave --projector out")),
            (several, _) => {
                let list: Vec<_> = several.iter().map(|text| text.display().to_string()).collect();
                Err(Error::new(
                    ErrorKind::Files,
                    format!("{}: {} models in GGUF: {}", path.display(), list.len(), list.join(", ")),
                )
                .hint("name one of these files"))
            }
        }
    }

    /// The files of a GGUF model: `text`, or all parts where it is one part of several; and its projector.
    ///
    /// Where `projector` names none and the text model has no vision tower in it, the projector is looked for beside it:
    /// files called `…mmproj….gguf` that are for a model of this family and width. Of several that go by the same name,
    /// that of the most exact type is taken; several others are an error that lists them. None is no error: the model
    /// then takes text only.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] for a file that is missing, no GGUF, or in the wrong role; [`ErrorKind::Weights`] and
    /// [`ErrorKind::Config`] for one that does not hold or is of another family.
    pub fn gguf(text: impl Into<PathBuf>, projector: Option<PathBuf>) -> Result<Self> {
        let text = text.into();
        let mut paths = parts(&text)?;
        let n_parts = paths.len();
        let (projector, note) = match projector {
            Some(path) => (Some(path), None),
            None => beside(&paths[0])?,
        };
        paths.extend(projector);
        let mut files = Self::of_paths(paths)?;
        let mut read = Vec::new();
        for name in files.names_in_order() {
            read.push(Gguf::read(&files, &name)?);
        }
        let projector = if read.len() > n_parts { read.pop() } else { None };
        check_parts(&read)?;
        files.set_gguf(Model::new(read, projector, note)?);
        Ok(files)
    }
}

/// The text models in GGUF in a folder, in order of their names: files that look like projectors and further parts of
/// split ones are left out.
fn texts(folder: &Path) -> Vec<PathBuf> {
    let is_text = |name: &str| {
        let stem = name.strip_suffix(".gguf")?;
        let part = stem.rsplit_once("-of-").and_then(|(start, _)| start.rsplit_once('-'));
        let later = part.is_some_and(|(_, number)| number.len() == 5 && number != "00001");
        (!stem.contains("mmproj") && !later).then_some(())
    };
    files_in(folder, |name| is_text(name).is_some())
}

/// The metadata and tensor infos of the file at `path`, by itself.
fn look_into(path: &Path) -> Result<Gguf> {
    let files = ModelFiles::of_paths(vec![path.to_owned()])?;
    match files.names_in_order().first() {
        Some(name) => Gguf::read(&files, name),
        None => Err(Error::new(ErrorKind::Files, format!("{}: no file", path.display()))),
    }
}

/// All parts of the model of which `path` is one; `path` alone where it was not split.
fn parts(path: &Path) -> Result<Vec<PathBuf>> {
    let gguf = look_into(path)?;
    let n = match gguf.unsigned("split.count")? {
        None | Some(0 | 1) => return Ok(vec![path.to_owned()]),
        Some(n) if n <= MAX_FILES => n,
        Some(_) => return Err(gguf.bad("split.count", &format!("at most {MAX_FILES} parts"))),
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // NAME-00001-of-00003.gguf
    let stem = name.strip_suffix(&format!("-of-{n:05}.gguf")).and_then(|rest| rest.rsplit_once('-'));
    let Some((stem, _)) = stem.filter(|(_, number)| number.len() == 5) else {
        return Err(Error::new(
            ErrorKind::Files,
            format!(
                "{}: one of {n} parts, expected a name that ends in -00001-of-{n:05}.gguf",
                path.display()
            ),
        )
        .hint("give the parts the names that they had, or merge them with `llama-gguf-split --merge`"));
    };
    let parts: Vec<PathBuf> =
        (1..=n).map(|i| path.with_file_name(format!("{stem}-{i:05}-of-{n:05}.gguf"))).collect();
    match parts.iter().find(|part| !part.is_file()) {
        None => Ok(parts),
        Some(missing) => Err(Error::new(
            ErrorKind::Files,
            format!("{}: one of {n} parts, and there is no {}", path.display(), missing.display()),
        )
        .hint("fetch all parts of the model into one folder")),
    }
}

/// Parts must be those of one model, in order and whole.
fn check_parts(parts: &[Gguf]) -> Result<()> {
    let n = parts.len() as u64;
    if n < 2 {
        return Ok(());
    }
    for (i, part) in parts.iter().enumerate() {
        for (key, expected) in [("split.no", i as u64), ("split.count", n)] {
            if part.unsigned(key)? != Some(expected) {
                return Err(part.bad(key, &expected.to_string()).hint("the parts are of different models"));
            }
        }
    }
    let first = parts.iter().take(1);
    for part in first {
        let total: usize = parts.iter().map(|part| part.tensors().len()).sum();
        if part.unsigned("split.tensors.count")?.is_some_and(|stated| stated != total as u64) {
            return Err(part
                .bad("split.tensors.count", &format!("{total}, as many as the parts hold"))
                .hint("the parts are of different models"));
        }
    }
    Ok(())
}

/// The projector beside a text model, and why that one, or why none.
fn beside(text_path: &Path) -> Result<(Option<PathBuf>, Option<String>)> {
    let text = look_into(text_path)?;
    if has_vision_inside(&text) {
        return Ok((None, None));
    }
    let mut fit = Vec::new();
    let mut unfit = Vec::new();
    for path in candidates(text_path) {
        let judged = look_into(&path).and_then(|gguf| check_projector(&gguf, &text).map(|()| gguf));
        match judged {
            Ok(gguf) => fit.push((path, gguf)),
            Err(error) => unfit.push(error.to_string()),
        }
    }
    let named = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match fit.len() {
        0 => {
            let why = match unfit.is_empty() {
                true => "no mmproj….gguf lies beside it".to_owned(),
                false => unfit.join("; "),
            };
            return Ok((None, Some(why)));
        }
        1 => {}
        n => {
            let name = |gguf: &Gguf| gguf.text("general.name").ok().flatten().map(str::to_owned);
            fit.sort_by_key(|(_, gguf)| exactness(gguf));
            let same = fit.iter().all(|(_, gguf)| name(gguf) == name(&fit[0].1));
            if !same || exactness(&fit[0].1) == exactness(&fit[1].1) {
                let list: Vec<_> = fit.iter().map(|(path, _)| named(path)).collect();
                return Err(Error::new(
                    ErrorKind::Files,
                    format!("{}: {n} projectors beside it would fit: {}", text.file(), list.join(", ")),
                )
                .hint("name the one of this model with --projector"));
            }
        }
    }
    let among = fit.len();
    let (path, gguf) = fit.swap_remove(0);
    let why = match among {
        1 => format!("{}: the projector beside it", named(&path)),
        n => format!(
            "{}: of {n} projectors beside it, the one of the most exact type ({})",
            named(&path),
            kind(&gguf)
        ),
    };
    Ok((Some(path), Some(why)))
}

/// Files beside `text` whose names say that they are projectors.
fn candidates(text: &Path) -> Vec<PathBuf> {
    let folder = text.parent().filter(|folder| !folder.as_os_str().is_empty());
    let is_projector = |name: &str| name.contains("mmproj") && name.ends_with(".gguf");
    let mut paths = files_in(folder.unwrap_or(Path::new(".")), is_projector);
    paths.retain(|path| path != text);
    paths
}

/// Files in a folder whose names, in small letters, are wanted, in order of their names; none if it cannot be read.
fn files_in(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| is_wanted(&name.to_lowercase())));
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.truncate(MAX_FILES as usize);
    paths
}

/// The type of a projector's layers, by the bytes of their matrices: what lies outside them is in f32 in files of every
/// type.
fn kind(gguf: &Gguf) -> &'static str {
    let mut bytes = std::collections::BTreeMap::new();
    let matrices = gguf.tensors().iter().filter(|t| t.name.starts_with("v.blk.") && t.shape.len() == 2);
    for tensor in matrices {
        *bytes.entry(tensor.kind.name()).or_insert(0u64) += tensor.len;
    }
    bytes.into_iter().max_by_key(|(_, len)| *len).map_or("none", |(name, _)| name)
}

/// Lower is nearer to the weights as they were trained, which is in bf16; f32 holds them too, with twice the bytes.
fn exactness(gguf: &Gguf) -> usize {
    let order = ["BF16", "F32", "F16", "Q8_0"];
    let kind = kind(gguf);
    order.iter().position(|name| *name == kind).unwrap_or(order.len())
}
