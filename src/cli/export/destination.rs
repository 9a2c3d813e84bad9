//! Where an export goes.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::domain::secret::{hexadecimal, random_bytes};

/// Where an export goes: standard output, or a name that appears only once everything is written.
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A file.
    File(BufWriter<File>, Unfinished),
    /// A folder with a file per part, and how many it has.
    Folder(u64, Unfinished),
}

/// What lies beside its place under another name, and is removed unless it gets its own.
pub struct Unfinished {
    path: PathBuf,
    place: PathBuf,
    is_finished: bool,
}

impl Destination {
    /// A file, or a folder if what is written may lie there `in_parts`.
    pub fn open(place: &Path, in_parts: bool) -> anyhow::Result<Self> {
        let named_a_folder = place.as_os_str().as_encoded_bytes().ends_with(b"/");
        if named_a_folder || place.is_dir() {
            if !in_parts {
                bail!("{} is a folder; --output names a file", place.display());
            }
            return Self::folder(place);
        }
        if place.exists() && !place.is_file() {
            bail!("{} is no file; leave --output out, and redirect there", place.display());
        }
        let unfinished = Unfinished::beside(place)?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&unfinished.path);
        let file = file.with_context(|| unfinished.writing())?;
        Ok(Self::File(BufWriter::new(file), unfinished))
    }

    fn folder(place: &Path) -> anyhow::Result<Self> {
        if place.exists() {
            let mut entries = fs::read_dir(place)
                .with_context(|| format!("reading the folder {}", place.display()))?;
            if entries.next().is_some() {
                bail!("the folder {} is not empty", place.display());
            }
        }
        let unfinished = Unfinished::beside(place)?;
        let made = DirBuilder::new().mode(0o700).create(&unfinished.path);
        made.with_context(|| unfinished.writing())?;
        Ok(Self::Folder(0, unfinished))
    }

    /// Writes the next part.
    pub fn write(&mut self, part: &str) -> anyhow::Result<()> {
        match self {
            Self::Stdout => {
                io::stdout().write_all(part.as_bytes()).context("writing to standard output")
            }
            Self::File(file, unfinished) => {
                file.write_all(part.as_bytes()).with_context(|| unfinished.writing())
            }
            Self::Folder(count, unfinished) => {
                *count += 1;
                let path = unfinished.path.join(format!("users-{count:06}.json"));
                let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
                let written = file.and_then(|mut file| file.write_all(part.as_bytes()));
                written.with_context(|| unfinished.writing())
            }
        }
    }

    /// Whether writing failed because nobody reads the standard output any more.
    pub fn is_closed_by(&self, error: &anyhow::Error) -> bool {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(self, Self::Stdout) && kind == Some(io::ErrorKind::BrokenPipe)
    }

    /// Gives what was written its name.
    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout => io::stdout().flush().context("writing to standard output"),
            Self::File(file, mut unfinished) => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error);
                let written = file.and_then(|file| file.sync_all());
                let named = written.and_then(|()| unfinished.rename());
                named.with_context(|| unfinished.writing())
            }
            Self::Folder(_, mut unfinished) => {
                unfinished.rename().with_context(|| unfinished.writing())
            }
        }
    }
}

impl Unfinished {
    fn beside(place: &Path) -> anyhow::Result<Self> {
        let Some(name) = place.file_name() else {
            bail!("{} can't be written: give it a name", place.display());
        };
        let mut beside = name.to_owned();
        beside.push(format!(".{}.part", hexadecimal(&random_bytes::<4>())));
        let path = place.with_file_name(beside);
        Ok(Self { path, place: place.to_owned(), is_finished: false })
    }

    fn rename(&mut self) -> io::Result<()> {
        fs::rename(&self.path, &self.place)?;
        self.is_finished = true;
        Ok(())
    }

    fn writing(&self) -> String {
        format!("writing {}", self.place.display())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            let removed = fs::remove_file(&self.path);
            removed.or_else(|_| fs::remove_dir_all(&self.path)).ok();
        }
    }
}
