//! What was computed by others: HMAC and SHA-256 by Python, XChaCha20-Poly1305 by libsodium.

use std::fs;

use agent_memory_keys::{Keys, Source};

use crate::{DAY, NOON, RING, open, ring_file};

/// The same ring, three days later.
const THREE_DAYS_LATER: [(&str, &str); 2] = [
    ("QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8", "bEE4mXL8L_2j1ZUFNXDFjxU02hsc6vIBPSB9euiZAYQ"),
    ("YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8", "_reubJAechdXZLTpY7tDt87er0BV2ctpaDBNoWmzB1k"),
];

const NONCE: &str = "c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf";

/// The bytes 0, 1, 2 and so on, 300 of them, as version 2 sealed them for 2024-10-09 with the crate `chacha20poly1305` 0.11.
const SEALED_BY_CHACHA20POLY1305: &str = "\
     a100024e25e01b36b9358208e71152ee452e93a60719b61ea6e3dee9560e9e3133cde5c62098c5419e6062f350074697e61543e886f0\
     22146c5f28f21c20d6e6f13349b884ab9748da20c9236d37ffb166d2bacd5f31919aaecedfb296064b9145c258f9585b5a9b0cc725b4\
     c8a59731235dedda3cfc324018feb385f50554b9113001932f288eda42370b91545365e5e0cfc014d87781a8c7c04ad4f6566efffe23\
     b9774684bee2e190d82be53fd1520397563f9bfefddae658434e14247cbfa134e6f549bc747c391fe8180879fefb77494dea328d9b12\
     4ec1a8f6973bfd851f276a2e8386b6256f335ba2db8ad34eca576499ee37b4b533ffad216f70e0b2639f0edd1eae331c5064abd79244\
     d1c3d3d88c5e9677ae247db6ab905678c161d4844aaee833a4c19ffefab8659ca253f0d9627e4f79f62c661ad0b28e5a0afc27353c3d\
     29c83eb09b42333a02c67d5488a7725f5a3e8f695c";

pub(crate) fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn sealed_bytes_of_libsodium_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(&ring_file(folder.path(), RING));
    for (header, rest) in [
        ("a100014e20", "842235208910ed1631d4f8f92862bcb517fd00c9d387a7d2b3691221b00cd3d9"),
        ("a100014e25", "398b5dd9ffc4462236616678d3c695f9dd94a81fb17f84a960e09f020e6eefba"),
        ("a100024e20", "2e146133722734cb33d6937fcdfe7b47bbbae68b9439a5f8bbba67604e8c5d47"),
        ("a100024e25", "ed63833dff7686491f6e361ef2171703098f56cb886ecaf13405449afb33b78a"),
        ("a10000ffff", "21ce8fcf65e2f0299843ab9f55849c413896d1078c2c95925669afe854297d56"),
    ] {
        let sealed = bytes(&format!("{header}{NONCE}{rest}"));
        assert_eq!(keys.open_sealed(b"place", &sealed).as_deref(), Ok(&b"brie and stilton"[..]), "{header}");
    }
    let empty = bytes(&format!("a10000ffff{NONCE}c8bd92ab3ef0bc3b52f6b4cd1fc03471"));
    assert_eq!(keys.open_sealed(b"", &empty).as_deref(), Ok(&b""[..]));
}

#[test]
fn bytes_that_an_earlier_version_sealed_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(&ring_file(folder.path(), RING));
    let plain: Vec<u8> = (0..=255).cycle().take(300).collect();
    assert_eq!(keys.open_sealed(b"place", &bytes(SEALED_BY_CHACHA20POLY1305)), Ok(plain));
}

#[test]
fn pseudonyms_and_identifications_are_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(&ring_file(folder.path(), RING));
    let parts: [&[u8]; 3] = [b"project", b"", b"+441632960001"];
    let expected = "31bf12915da7702bd38b311c97f46b0797ee71581112a9de029189664f8608a4";
    assert_eq!(keys.pseudonym("account", &parts)[..], bytes(expected));
    let expected = "ab7c7ccb688cf169d8b77dedf0cb47d272e6d073943d7c9b6e20a702402c5f75";
    assert_eq!(Keys::plaintext().pseudonym("account", &parts)[..], bytes(expected));
    let expected = "0114a5ae86cd5674b79234087782a2710ec5be56032bc32afcc1c4d10ea8cd64";
    assert_eq!(keys.identification()[..], bytes(expected));
    let expected = "0fd1fdc71103da8a770c05451893a0ea4d826473803ef4b8586f4a0f2bfa7d8b";
    assert_eq!(Keys::plaintext().identification()[..], bytes(expected));
}

#[test]
fn e2_a_sweep_leaves_the_ring_of_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = ring_file(folder.path(), RING);
    open(&path).destroy_before(NOON + 3 * DAY).unwrap();
    let mut expected = RING.replace("\"day\": \"2024-10-04\"", "\"day\": \"2024-10-07\"");
    for (former, later) in THREE_DAYS_LATER {
        expected = expected.replace(former, later);
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    // What this process knows is the same.
    let keys = Keys::open(&Source::File(path), false).unwrap();
    assert_eq!(keys.moved_on(NOON).unwrap().expose(), expected);
}
