//! `[master_key]`

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{reading::Section, value::masked};
use crate::domain::{
    master_key::MasterKey,
    secret::{Secret, random_bytes},
};

/// `[master_key]`: the key that secrets at rest are sealed under. One source is in force.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MasterKeySection {
    /// The file with the key: 32 bytes in base64, readable by its owner only; made on the first
    /// start. Default: `master.key` beside the database.
    pub file: Option<PathBuf>,
    /// The key itself: 32 bytes in base64. Only as `PORTICO_MASTER_KEY__VALUE`, never in the file.
    /// Default: none.
    #[serde(serialize_with = "masked")]
    pub value: Option<Secret>,
}

impl Section for MasterKeySection {
    const NAME: &'static str = "master_key";
    const SECRETS: &'static [&'static str] = &["value"];

    fn contradiction(&self) -> Option<&'static str> {
        (self.file.is_some() && self.value.is_some()).then_some(
            "master_key.file and PORTICO_MASTER_KEY__VALUE are both set: only one may be",
        )
    }
}

/// Where the master key comes from.
#[derive(Clone, Debug)]
pub enum MasterKeySource {
    /// From the environment.
    Value(Secret),
    /// From a file.
    File {
        /// The file with the key.
        path: PathBuf,
        /// The file that is sealed under it, if the database is one: while it has no bytes yet, a
        /// missing key is made.
        database: Option<PathBuf>,
    },
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The value in the environment is not a key.
    #[error("PORTICO_MASTER_KEY__VALUE must be 32 bytes in base64")]
    Value,
    /// The file's content is not a key.
    #[error("{0} must be a file that holds 32 bytes in base64; restore it from a backup")]
    Content(PathBuf),
    /// Others than the owner may read or change the file.
    #[error("{path} has mode {mode:04o}: others can read the key; run chmod 600 {path}", path = .0.display(), mode = .1)]
    Exposed(PathBuf, u32),
    /// There is a database, so there was a key, and a new one would open nothing.
    #[error("{key} is missing, and {database} is sealed under it; restore the key from a backup", key = .key.display(), database = .database.display())]
    Lost {
        /// Where the key should be.
        key: PathBuf,
        /// The database that needs it.
        database: PathBuf,
    },
    /// The file can't be read or made.
    #[error("{path} can't be {doing}: {cause}{}", remedy(.cause), path = .path.display())]
    File {
        /// The file with the key.
        path: PathBuf,
        /// `read` or `made`.
        doing: &'static str,
        /// What the system says.
        cause: io::Error,
    },
}

impl MasterKeySource {
    /// The key, made now if this is the first start. Comes before the database is made.
    pub fn load_or_create(&self) -> Result<MasterKey, MasterKeyError> {
        let Self::File { path, database } = self else { return self.load() };
        if path.try_exists().map_err(while_("read", path))? {
            let key = self.load()?;
            forget_unfinished(path);
            return Ok(key);
        }
        let has_bytes =
            |file: &&PathBuf| fs::metadata(file).is_ok_and(|database| database.len() > 0);
        if let Some(database) = database.as_ref().filter(has_bytes) {
            return Err(MasterKeyError::Lost { key: path.clone(), database: database.clone() });
        }
        create(path).map_err(while_("made", path))?;
        forget_unfinished(path);
        self.load()
    }

    /// The key, which must exist.
    pub fn load(&self) -> Result<MasterKey, MasterKeyError> {
        match self {
            Self::Value(value) => decode(value.expose()).ok_or(MasterKeyError::Value),
            Self::File { path, .. } => read(path),
        }
    }
}

fn while_(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MasterKeyError {
    let path = path.to_owned();
    move |cause| MasterKeyError::File { path, doing, cause }
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull => "; make room on its disk",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; give Portico's user the file and its folder"
        }
        _ => "",
    }
}

fn read(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let file = File::open(path).map_err(while_("read", path))?;
    let metadata = file.metadata().map_err(while_("read", path))?;
    if metadata.is_dir() {
        return Err(MasterKeyError::Content(path.to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Exposed(path.to_owned(), mode));
    }
    // A key in base64 has 44 characters: whatever is longer than this is something else.
    let mut text = Zeroizing::new(String::with_capacity(128));
    match file.take(128).read_to_string(&mut text) {
        Err(cause) if cause.kind() != io::ErrorKind::InvalidData => {
            Err(while_("read", path)(cause))
        }
        _ => decode(text.trim()).ok_or_else(|| MasterKeyError::Content(path.to_owned())),
    }
}

/// The key that a text in either base64 alphabet, padded or not, stands for.
fn decode(text: &str) -> Option<MasterKey> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let mut bytes = Zeroizing::new([0; 33]);
    let decoded = GeneralPurpose::new(alphabet, LENIENT).decode_slice(text, bytes.as_mut());
    match (decoded, bytes.first_chunk::<32>()) {
        (Ok(32), Some(key)) => Some(MasterKey::new(key)),
        _ => None,
    }
}

/// Makes a key and its file. The file gets its name only when it is complete and on the disk, so
/// neither a crash nor a second process leaves half a key; of two processes one wins.
fn create(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // A random name: in a container every start has the same process number.
    let mut unfinished = path.to_owned();
    unfinished.set_extension(format!("{:08x}.new", u32::from_ne_bytes(random_bytes())));
    let named = write_new(&unfinished).and_then(|()| fs::hard_link(&unfinished, path));
    // Gone already where another process has made the key.
    fs::remove_file(&unfinished).ok();
    match named {
        Err(error) if !path.exists() => Err(error),
        _ => File::open(folder)?.sync_all(),
    }
}

/// Removes what first starts that were cut off have left: keys, whole or half, under other names.
///
/// There is a key, so whoever is still making one finds that out and takes this one. A folder that
/// can't be read or written was left nothing in.
fn forget_unfinished(path: &Path) {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = fs::read_dir(folder.unwrap_or(Path::new("."))) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let middle = name.to_str().and_then(|name| name.strip_prefix(stem)?.strip_suffix(".new"));
        let number = middle.and_then(|middle| middle.strip_prefix('.'));
        if number.is_some_and(|number| number.len() == 8 && u32::from_str_radix(number, 16).is_ok())
        {
            fs::remove_file(entry.path()).ok();
        }
    }
}

fn write_new(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{}", Secret::generate().expose())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn key(&self) -> PathBuf {
            self.0.path().join("data/master.key")
        }

        fn source(&self) -> MasterKeySource {
            let database = Some(self.0.path().join("data/portico.db"));
            MasterKeySource::File { path: self.key(), database }
        }

        fn has(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> &Self {
            let path = self.0.path().join("data").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            self
        }
    }

    /// Keys can't be compared, but what they derive can.
    fn mark(key: &MasterKey) -> [u8; 8] {
        *key.derive("mark")
    }

    #[test]
    fn the_first_start_makes_a_key_that_only_its_owner_reads_and_the_next_finds_it() {
        let folder = Folder::new();

        let made = folder.source().load_or_create().unwrap();
        let found = folder.source().load_or_create().unwrap();

        assert_eq!(mark(&made), mark(&found));
        assert_eq!(fs::metadata(folder.key()).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.key().parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn many_first_starts_at_once_agree_on_one_key() {
        let folder = Folder::new();
        let source = folder.source();

        let marks: Vec<[u8; 8]> = thread::scope(|scope| {
            let start = || mark(&source.load_or_create().unwrap());
            let starts: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|started| started.join().unwrap()).collect()
        });

        assert_eq!(marks, [marks[0]; 16]);
        assert_eq!(fs::read_dir(folder.key().parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_lost_key_is_not_replaced_while_its_database_is_there() {
        let folder = Folder::new();
        folder.has("portico.db", "SQLite format 3", 0o600);

        let answer = folder.source().load_or_create();

        assert!(matches!(answer, Err(MasterKeyError::Lost { .. })), "{answer:?}");
        assert!(!folder.key().exists());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o660, 0o644, 0o601] {
            let folder = Folder::new();
            folder.has("master.key", KEY, mode);

            let answer = folder.source().load_or_create();

            assert!(matches!(answer, Err(MasterKeyError::Exposed(_, seen)) if seen == mode));
        }
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        let long = "A".repeat(4096);
        let contents: [&[u8]; 6] =
            [b"", b"\n", b"hunter2", &KEY.as_bytes()[1..], long.as_bytes(), &[0xff; 44]];
        for content in contents {
            let folder = Folder::new();
            folder.has("master.key", content, 0o600);

            let answer = folder.source().load_or_create();

            assert!(matches!(answer, Err(MasterKeyError::Content(_))), "{answer:?}");
        }
    }

    #[test]
    fn a_key_is_read_in_either_alphabet_padded_or_not() {
        let expected = mark(&MasterKey::new(&[0xfb; 32]));
        let key = |text: &str| decode(text).map(|key| mark(&key));

        for text in [
            base64::prelude::BASE64_STANDARD.encode([0xfb; 32]),
            base64::prelude::BASE64_STANDARD_NO_PAD.encode([0xfb; 32]),
            base64::prelude::BASE64_URL_SAFE.encode([0xfb; 32]),
            base64::prelude::BASE64_URL_SAFE_NO_PAD.encode([0xfb; 32]),
        ] {
            assert_eq!(key(&text), Some(expected), "{text}");
        }
        assert_eq!(key(&"+/v7".repeat(11)), None, "33 bytes");
    }

    #[test]
    fn an_error_never_shows_the_key() {
        let wrong = MasterKeySource::Value(Secret::new("hunter2"));

        let error = wrong.load().unwrap_err();

        assert!(!format!("{error} {error:?} {wrong:?}").contains("hunter2"));
    }
}
