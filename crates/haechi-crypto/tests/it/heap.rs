//! What is left in memory of key material and plaintexts once they are dropped: a process that
//! knows their bytes searches its own.

use std::alloc::System;
use std::fs;
use std::hint::black_box;
use std::os::unix::fs::FileExt;

use haechi_crypto::ciphertext::{EncryptionContext, encrypt};
use haechi_crypto::seal::{Quorum, SealMethod, create_shared};
use haechi_crypto::{
    Blob, BlobKind, KeyMaterial, Keyring, MaterialContext, MaterialHandle, RootKey, SecretBytes,
    SecretVec, SymmetricMaterial, SystemRandom, WipingAllocator,
};

use crate::child;

#[global_allocator]
static ALLOCATOR: WipingAllocator<System> = WipingAllocator(System);

const CONTEXT: MaterialContext<'static> = MaterialContext {
    account: "123456789012",
    key_id: "1234abcd-12ab-34cd-56ef-1234567890ab",
    material_id: "01",
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
};

/// Twenty bytes that only the search and the secret have; kept masked, so that it does not find
/// itself.
struct Needle([u8; 20]);

impl Needle {
    fn new(first: u8) -> Needle {
        let mut next = first;
        Needle(std::array::from_fn(|_| {
            next = next.wrapping_mul(73).wrapping_add(41);
            next ^ 0xa5
        }))
    }

    fn byte(&self, place: usize) -> u8 {
        self.0[place] ^ 0xa5
    }

    /// `length` secret bytes with the needle in them, written where they are to stay.
    fn write(&self, out: &mut [u8]) {
        for (place, to) in out.iter_mut().enumerate() {
            *to = if place < 20 { self.byte(place) } else { 0x11 };
        }
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.len() >= 20 && (0..20).all(|place| bytes[place] == self.byte(place))
    }
}

/// Where in the heap and the other writable memory outside stacks the needle is.
fn places(needle: &Needle) -> Vec<String> {
    let (maps, memory) =
        (fs::read_to_string("/proc/self/maps").unwrap(), fs::File::open("/proc/self/mem").unwrap());
    let mut found = Vec::new();
    let mut part = vec![0; 1 << 20];
    let own = part.as_ptr() as u64;
    for line in maps.lines().filter(|line| line.contains(" rw-p ") && !line.contains("[stack")) {
        let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        while at + 20 <= to {
            let length = usize::try_from((to - at).min(1 << 20)).unwrap();
            let Ok(read) = memory.read_at(&mut part[..length], at) else { break };
            let first = needle.byte(0);
            for place in (0..read).filter(|place| part[*place] == first) {
                let address = at + place as u64;
                let in_part = (own..own + (1 << 20)).contains(&address);
                if !in_part && needle.is_at(&part[place..read]) {
                    found.push(format!("{address:x} in {line}"));
                }
            }
            at += (read as u64).saturating_sub(19).max(1);
        }
    }
    found
}

#[test]
fn nothing_of_a_secret_is_left_once_it_is_dropped() {
    if !child::is_child() {
        return child::run("heap::nothing_of_a_secret_is_left_once_it_is_dropped", &[]);
    }
    let random = SystemRandom::new();
    let (material, plaintext) = (Needle::new(1), Needle::new(2));
    let (root_bytes, text) = (Needle::new(3), Needle::new(4));
    // The search finds what is there.
    let mut held = SecretVec::zero(100);
    text.write(held.expose_mut());
    assert_eq!(places(&text).len(), 1, "the needle is to be found where it is");
    drop(black_box(held));
    assert_eq!(places(&text), [""; 0]);

    // A key's life: made, wrapped, unwrapped, used; a blob's: encrypted, decrypted.
    let mut bytes = SecretVec::zero(32);
    root_bytes.write(bytes.expose_mut());
    let root = RootKey::copy_from(bytes.expose()).unwrap();
    drop(bytes);
    assert_eq!(places(&root_bytes).len(), 1, "the root key is in one place");
    let (keyring, rows) = Keyring::create(&root, 0, &random).unwrap();
    let mut bytes = SecretVec::zero(32);
    material.write(bytes.expose_mut());
    let key = SymmetricMaterial::new(SecretBytes::copy_from(bytes.expose()).unwrap());
    drop(bytes);
    let handle = MaterialHandle::generate(&random).unwrap();
    let none = EncryptionContext::new();
    let mut bytes = SecretVec::zero(64);
    plaintext.write(bytes.expose_mut());
    let blob = encrypt(BlobKind::Encrypt, &key, &handle, &none, bytes.expose(), &random).unwrap();
    drop(bytes);
    let token = KeyMaterial::Symmetric(key).wrap(&keyring, &CONTEXT, &random).unwrap();
    {
        let keyring = Keyring::open(&root, rows.iter().map(|row| row.as_bytes()), 0).unwrap();
        let KeyMaterial::Symmetric(key) = KeyMaterial::unwrap(&keyring, &CONTEXT, &token).unwrap()
        else {
            panic!("symmetric material")
        };
        let opened = Blob::parse(&blob).unwrap().decrypt(&key, &none).unwrap();
        assert!(plaintext.is_at(opened.expose()) && !places(&plaintext).is_empty());
    }
    drop((keyring, root));
    // The stack of this thread may hold what was moved over it; the heap holds nothing.
    for needle in [&material, &plaintext, &root_bytes] {
        assert_eq!(places(needle), [""; 0]);
    }
}

#[test]
fn nothing_of_a_split_root_key_is_left_in_the_seal_or_once_its_quorum_is_dropped() {
    let name =
        "heap::nothing_of_a_split_root_key_is_left_in_the_seal_or_once_its_quorum_is_dropped";
    if !child::is_child() {
        return child::run(name, &[]);
    }
    let (config, root, shares) = create_shared(3, 2, None, &SystemRandom::new()).unwrap();
    let SealMethod::Shamir(seal) = config.method() else { panic!("a Shamir seal") };
    let mut quorum = Quorum::new(seal);
    for share in &shares[..2] {
        quorum.add(share).unwrap();
    }
    drop((quorum.root().unwrap(), root));
    // Twenty letters of the first share's value, masked.
    let needle = Needle(std::array::from_fn(|place| shares[0].expose()[40 + place] ^ 0xa5));
    assert_eq!(places(&needle).len(), 1);
    drop((quorum, shares));
    assert_eq!(places(&needle), [""; 0]);
    drop(config);
}
