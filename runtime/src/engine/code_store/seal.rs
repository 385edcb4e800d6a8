//! The seal of a file: a keyed BLAKE3 hash over its name and content, under a key that belongs to this folder.

use std::{
    fs,
    hash::{Hash, Hasher},
    io::{self, Write},
    path::Path,
};

/// Where the key is, in the folder it belongs to. Only the server's own user may read it.
const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
/// What a sealed file begins with; another number is another format.
const MAGIC: [u8; 8] = *b"tickswp1";

/// Seals and opens files.
pub(super) struct Seal {
    key: [u8; KEY_BYTES],
}

impl Seal {
    /// The seal of a folder; its key is made if there is none.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Self> {
        let path = folder.join(KEY_FILE);
        let key = match fs::read(&path) {
            Ok(key) if key.len() == KEY_BYTES => key,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            // None yet, or one cut short: what was sealed with that is lost.
            _ => make_key(folder, &path)?,
        };
        let key = key.try_into().map_err(|_| io::Error::other("the key was cut short while it was read"))?;
        Ok(Self { key })
    }

    /// The bytes to write for a content.
    pub(super) fn close(&self, name: &str, content: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(MAGIC.len() + MAC_BYTES + content.len());
        sealed.extend_from_slice(&MAGIC);
        sealed.extend_from_slice(self.over(name, content).as_bytes());
        sealed.extend_from_slice(content);
        sealed
    }

    /// The content of what was read, if the seal is whole.
    pub(super) fn open(&self, name: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let (magic, rest) = sealed.split_at_checked(MAGIC.len())?;
        let (mac, content) = rest.split_at_checked(MAC_BYTES)?;
        let mac = blake3::Hash::from_slice(mac).ok()?;
        // Hashes are compared in constant time.
        if magic != MAGIC || self.over(name, content) != mac {
            return None;
        }
        sealed.drain(..MAGIC.len() + MAC_BYTES);
        Some(sealed)
    }

    fn over(&self, name: &str, content: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        // The length keeps apart what belongs to the name and what to the content.
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(content);
        mac.finalize()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Seal(..)")
    }
}

/// Writes a new key in one step. Of several servers that start together, one key wins, and all read it.
fn make_key(folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let mut key = vec![0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    let fresh = folder.join(format!("{KEY_FILE}-{}", Digest::of_bytes(&key).text(16)));
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(&key)?;
    file.sync_all()?;
    drop(file);
    if fs::metadata(path).is_ok_and(|facts| facts.len() != KEY_BYTES as u64) {
        fs::remove_file(path)?;
    }
    // A link, unlike a renaming, does not replace the key that another server has just made.
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read(path),
    }
}

/// A digest of something, for names of files.
pub(super) struct Digest(blake3::Hash);

impl Digest {
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes))
    }

    pub(super) fn of_hash(value: &impl Hash) -> Self {
        let mut hasher = Collector(blake3::Hasher::new());
        value.hash(&mut hasher);
        Self(hasher.0.finalize())
    }

    /// The first `digits` hexadecimal digits, at most 64.
    pub(super) fn text(&self, digits: usize) -> String {
        self.0.to_hex().chars().take(digits).collect()
    }
}

/// Collects what a value hashes.
struct Collector(blake3::Hasher);

impl Hasher for Collector {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.finalize();
        u64::from_le_bytes(std::array::from_fn(|index| digest.as_bytes()[index]))
    }
}
