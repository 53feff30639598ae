//! A second opinion on everything that the installed openssl knows: what is made here works there,
//! and the other way round.
//!
//! openssl 3.0 knows neither Ed25519ph (as a command), nor ML-DSA, nor ML-KEM: those have vectors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use haechi_crypto::{
    EncryptionAlgorithm, KeyMaterial, KeySpec, MessageType, Random, SigningAlgorithm, SystemRandom,
    WrappingAlgorithm, WrappingKey, WrappingKeySpec,
};
use tempfile::TempDir;

/// A directory for openssl's files.
struct Openssl(TempDir);

impl Openssl {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Whether the command succeeds; fails the test if there is no openssl at all.
    fn try_run(&self, arguments: &[&str]) -> bool {
        run(self.0.path(), arguments).0
    }

    fn run(&self, arguments: &[&str]) {
        let (success, text) = run(self.0.path(), arguments);
        assert!(success, "openssl {arguments:?}:\n{text}");
    }
}

fn run(directory: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("openssl must be installed: it is the second opinion of these tests");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn key(spec: KeySpec) -> KeyMaterial {
    KeyMaterial::generate(spec, &SystemRandom::new()).unwrap()
}

/// Writes both halves of a key, as this crate gives them away.
fn give(openssl: &Openssl, key: &KeyMaterial) {
    openssl.write("public.der", key.public_key().unwrap().as_der());
    openssl.write("private.der", key.private_key_der().unwrap().unwrap().expose());
}

/// How openssl is told of an algorithm: name of the hash, options of the padding.
fn options(algorithm: SigningAlgorithm) -> (&'static str, Vec<&'static str>) {
    let name = algorithm.name();
    let hash = match name.rsplit('_').next().unwrap() {
        "256" => "sha256",
        "384" => "sha384",
        _ => "sha512",
    };
    let padding = if name.starts_with("RSASSA_PSS") {
        vec!["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]
    } else if name.starts_with("RSASSA_PKCS1") {
        vec!["-pkeyopt", "rsa_padding_mode:pkcs1"]
    } else {
        vec![]
    };
    (hash, padding)
}

#[test]
fn signatures_verify_in_both_directions() {
    let openssl = Openssl::new();
    let message = b"a message for both sides";
    for spec in [
        KeySpec::Rsa2048,
        KeySpec::Rsa3072,
        KeySpec::Rsa4096,
        KeySpec::EccNistP256,
        KeySpec::EccNistP384,
        KeySpec::EccNistP521,
        KeySpec::EccSecgP256k1,
        KeySpec::EccNistEdwards25519,
    ] {
        let key = key(spec);
        give(&openssl, &key);
        openssl.write("message", message);
        for algorithm in spec.signing_algorithms() {
            if *algorithm == SigningAlgorithm::Ed25519PhSha512 {
                continue;
            }
            let (hash, padding) = options(*algorithm);
            openssl.run(&["dgst", &format!("-{hash}"), "-binary", "-out", "digest", "message"]);
            let pure = *algorithm == SigningAlgorithm::Ed25519Sha512;
            let raw = if pure { vec!["-rawin"] } else { vec!["-rawin", "-digest", hash] };
            let digest_option = format!("digest:{hash}");
            let digested = vec!["-pkeyopt", &digest_option];
            for (kind, file, how) in
                [(MessageType::Raw, "message", raw), (MessageType::Digest, "digest", digested)]
            {
                if pure && kind == MessageType::Digest {
                    continue;
                }
                let name = format!("{} {} {}", spec.name(), algorithm.name(), kind.name());
                let input = openssl.read(file);
                let ours = key.sign(*algorithm, kind, &input, &SystemRandom::new()).unwrap();
                openssl.write("signature", &ours);
                let common = ["-keyform", "DER", "-in", file];
                let verify = ["pkeyutl", "-verify", "-pubin", "-inkey", "public.der"];
                let verify = [&verify[..], &common, &["-sigfile", "signature"], &how, &padding];
                openssl.run(&verify.concat());
                let mut changed = ours.clone();
                *changed.last_mut().unwrap() ^= 1;
                openssl.write("signature", &changed);
                assert!(!openssl.try_run(&verify.concat()), "{name}: openssl accepts anything");

                let sign = ["pkeyutl", "-sign", "-inkey", "private.der", "-out", "theirs"];
                openssl.run(&[&sign[..], &common, &how, &padding].concat());
                let theirs = openssl.read("theirs");
                let public = key.public_key().unwrap();
                assert_eq!(public.verify(*algorithm, kind, &input, &theirs), Ok(()), "{name}");
            }
        }
    }
}

#[test]
fn oaep_decrypts_in_both_directions() {
    let openssl = Openssl::new();
    for spec in [KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096] {
        let key = key(spec);
        give(&openssl, &key);
        for (algorithm, hash) in [
            (EncryptionAlgorithm::RsaesOaepSha1, "sha1"),
            (EncryptionAlgorithm::RsaesOaepSha256, "sha256"),
        ] {
            let oaep = format!("rsa_oaep_md:{hash}");
            let mask = format!("rsa_mgf1_md:{hash}");
            let padding =
                ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", &oaep, "-pkeyopt", &mask];
            openssl
                .write("ours", &key.public_key().unwrap().encrypt(algorithm, b"to you").unwrap());
            let decrypt = ["pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", "private.der"];
            openssl.run(&[&decrypt[..], &["-in", "ours", "-out", "plain"], &padding].concat());
            assert_eq!(openssl.read("plain"), b"to you");

            openssl.write("message", b"to us");
            let encrypt = ["pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey"];
            let files = ["public.der", "-in", "message", "-out", "theirs"];
            openssl.run(&[&encrypt[..], &files, &padding].concat());
            let plaintext = key.decrypt(algorithm, &openssl.read("theirs")).unwrap();
            assert_eq!(plaintext.expose(), b"to us", "{spec:?} {hash}");
        }
    }
}

#[test]
fn both_sides_derive_the_same_secret() {
    let openssl = Openssl::new();
    for (spec, curve) in [
        (KeySpec::EccNistP256, "P-256"),
        (KeySpec::EccNistP384, "P-384"),
        (KeySpec::EccNistP521, "P-521"),
    ] {
        let key = key(spec);
        give(&openssl, &key);
        let curve = format!("ec_paramgen_curve:{curve}");
        let generate = ["genpkey", "-algorithm", "EC", "-pkeyopt", &curve, "-out", "peer.pem"];
        openssl.run(&generate);
        openssl.run(&["pkey", "-in", "peer.pem", "-pubout", "-outform", "DER", "-out", "peer.der"]);
        let derive = ["pkeyutl", "-derive", "-inkey", "peer.pem", "-peerkey", "public.der"];
        openssl.run(&[&derive[..], &["-peerform", "DER", "-out", "secret"]].concat());
        let secret = key.derive_shared_secret(&openssl.read("peer.der")).unwrap();
        assert_eq!(secret.expose(), openssl.read("secret"), "{spec:?}");
    }
}

/// The commands are those of AWS's guide, "Step 3: Encrypt the key material".
#[test]
fn material_made_and_wrapped_by_openssl_is_imported_and_is_the_same_key() {
    let openssl = Openssl::new();
    for wrapping_spec in WrappingKeySpec::ALL {
        let wrapping = WrappingKey::generate(wrapping_spec).unwrap();
        openssl.write("wrapping.der", wrapping.public_key().as_der());
        for (spec, arguments) in [
            (KeySpec::Rsa2048, &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..]),
            (KeySpec::Rsa4096, &["RSA", "-pkeyopt", "rsa_keygen_bits:4096"]),
            (KeySpec::EccNistP256, &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            (KeySpec::EccNistP384, &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
            (KeySpec::EccNistP521, &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
            (KeySpec::EccSecgP256k1, &["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
            (KeySpec::EccNistEdwards25519, &["ED25519"]),
        ] {
            if spec == KeySpec::Rsa4096 && wrapping_spec != WrappingKeySpec::Rsa2048 {
                continue;
            }
            openssl.run(&[&["genpkey", "-out", "key.pem", "-algorithm"], arguments].concat());
            let convert = ["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER"];
            openssl.run(&[&convert[..], &["-out", "material"]].concat());
            openssl.run(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "spki"]);
            for algorithm in WrappingAlgorithm::ALL {
                if !algorithm.wraps(wrapping_spec, spec) {
                    continue;
                }
                let wrapped = wrap(&openssl, algorithm);
                let key = wrapping.unwrap_key_material(algorithm, spec, &wrapped).unwrap();
                let public = key.public_key().unwrap().as_der();
                assert_eq!(public, openssl.read("spki"), "{spec:?} {algorithm:?}");
            }
        }
    }
}

/// Wraps the file `material` under `wrapping.der`.
fn wrap(openssl: &Openssl, algorithm: WrappingAlgorithm) -> Vec<u8> {
    let hash = if algorithm.name().ends_with("256") { "sha256" } else { "sha1" };
    let (oaep, mask) = (format!("rsa_oaep_md:{hash}"), format!("rsa_mgf1_md:{hash}"));
    let encrypt = |input: &str, output: &str| {
        let key = ["pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "wrapping.der"];
        let files = ["-in", input, "-out", output, "-pkeyopt", "rsa_padding_mode:oaep"];
        openssl.run(&[&key[..], &files, &["-pkeyopt", &oaep, "-pkeyopt", &mask]].concat());
        openssl.read(output)
    };
    if algorithm.name().starts_with("RSAES") {
        return encrypt("material", "wrapped");
    }
    let mut aes_key = [0; 32];
    SystemRandom::new().fill(&mut aes_key).unwrap();
    openssl.write("aes", &aes_key);
    let hex: String = aes_key.iter().map(|byte| format!("{byte:02x}")).collect();
    let cipher = ["enc", "-id-aes256-wrap-pad", "-iv", "A65959A6", "-K", &hex];
    openssl.run(&[&cipher[..], &["-in", "material", "-out", "wrapped-material"]].concat());
    [encrypt("aes", "wrapped-key"), openssl.read("wrapped-material")].concat()
}

#[test]
fn imported_hmac_keys_give_the_tags_of_openssl() {
    let openssl = Openssl::new();
    let wrapping = WrappingKey::generate(WrappingKeySpec::Rsa3072).unwrap();
    openssl.write("wrapping.der", wrapping.public_key().as_der());
    openssl.write("message", b"a message");
    for (spec, hash, bytes) in [
        (KeySpec::Hmac224, "-sha224", 28),
        (KeySpec::Hmac256, "-sha256", 32),
        (KeySpec::Hmac384, "-sha384", 48),
        (KeySpec::Hmac512, "-sha512", 64),
    ] {
        let mut material = vec![0; bytes];
        SystemRandom::new().fill(&mut material).unwrap();
        openssl.write("material", &material);
        let algorithm = WrappingAlgorithm::RsaesOaepSha256;
        let wrapped = wrap(&openssl, algorithm);
        let key = wrapping.unwrap_key_material(algorithm, spec, &wrapped).unwrap();
        let hex: String = material.iter().map(|byte| format!("{byte:02x}")).collect();
        let option = format!("hexkey:{hex}");
        let mac = ["dgst", hash, "-mac", "HMAC", "-macopt", &option, "-binary"];
        openssl.run(&[&mac[..], &["-out", "tag", "message"]].concat());
        let key = key.as_hmac().unwrap();
        assert_eq!(key.generate_mac(b"a message"), openssl.read("tag"), "{spec:?}");
        assert_eq!(key.verify_mac(b"a message", &openssl.read("tag")), Ok(()));
    }
}

/// What `GetPublicKey` and `GenerateDataKeyPair` return is read, and found consistent.
#[test]
fn openssl_reads_and_checks_every_key_that_it_knows() {
    let openssl = Openssl::new();
    for spec in KeySpec::ALL {
        if !spec.is_data_key_pair() || spec.encapsulates() {
            continue;
        }
        give(&openssl, &key(spec));
        openssl.run(&["pkey", "-inform", "DER", "-in", "private.der", "-noout", "-check"]);
        let public = ["pkey", "-inform", "DER", "-in", "private.der", "-pubout", "-outform", "DER"];
        openssl.run(&[&public[..], &["-out", "derived.der"]].concat());
        assert_eq!(openssl.read("derived.der"), openssl.read("public.der"), "{spec:?}");
        openssl.run(&["pkey", "-pubin", "-inform", "DER", "-in", "public.der", "-noout"]);
    }
}
