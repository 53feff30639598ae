//! KBKDF against NIST's vectors.

use super::*;
use crate::hex;

/// NIST CAVP, KDF in Counter Mode (CAVS 14.4), PRF HMAC_SHA256, CTRLOCATION BEFORE_FIXED, RLEN
/// 32_BITS, counts 0, 10, 20, 30: key, fixed input, output.
const CAVP: [[&str; 3]; 4] = [
    [
        "dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0",
        "01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b8
         64a145fab25e517b08f8683d0315bb2911d80a0e8aba17f3b413faac",
        "10621342bfb0fd40046c0e29f2cfdbf0",
    ],
    [
        "e204d6d466aad507ffaf6d6dab0a5b26152c9e21e764370464e360c8fbc765c6",
        "7b03b98d9f94b899e591f3ef264b71b193fba7043c7e953cde23bc5384bc1a62
         93580115fae3495fd845dadbd02bd6455cf48d0f62b33e62364a3a80",
        "770dfab6a6a4a4bee0257ff335213f78d8287b4fd537d5c1fffa956910e7c779",
    ],
    [
        "dc60338d884eecb72975c603c27b360605011756c697c4fc388f5176ef81efb1",
        "44d7aa08feba26093c14979c122c2437c3117b63b78841cd10a4bc5ed55c5658
         6ad8986d55307dca1d198edcffbc516a8fbe6152aa428cdd800c062d",
        "29ac07dccf1f28d506cd623e6e3fc2fa255bd60b",
    ],
    [
        "c4bedbddb66493e7c7259a3bbbc25f8c7e0ca7fe284d92d431d9cd99a0d214ac",
        "1c69c54766791e315c2cc5c47ecd3ffab87d0d273dd920e70955814c220eacac
         e6a5946542da3dfe24ff626b4897898cafb7db83bdff3c14fa46fd4b",
        "1da47638d6c9c4d04d74d4640bbd42ab814d9e8cc22f4326695239f96b0693f1
         2d0dd1152cf44430",
    ],
];

#[test]
fn kbkdf_gives_nists_outputs() {
    for [key, fixed_input, expected] in CAVP {
        let expected = hex::decode(expected);
        let mut out = vec![0; expected.len()];
        kbkdf(&hex::decode(key), &hex::decode(fixed_input), &mut out).unwrap();
        assert_eq!(out, expected);
    }
}

#[test]
fn subkeys_differ_by_label_and_by_key() {
    let of = |key: u8, label| subkey(&[key; 32], label).unwrap();
    assert!(of(1, "a") == of(1, "a"));
    assert!(of(1, "a") != of(1, "b"));
    assert!(of(1, "a") != of(2, "a"));
}
