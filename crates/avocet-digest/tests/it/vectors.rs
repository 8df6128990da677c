use avocet_base::Digests;
use avocet_digest::{
    Md5Hasher, Sha1Hasher, Sha256Hasher, TripleHasher, digest_many, finish_many, implementation, update_many,
};

/// RFC 1321 appendix A.5.
const MD5: [(&str, &str); 7] = [
    ("", "d41d8cd98f00b204e9800998ecf8427e"),
    ("a", "0cc175b9c0f1b6a831c399e269772661"),
    ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
    (
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "57edf4a22be3c955ac49da2e2107b67a",
    ),
];

/// NIST's examples for FIPS 180-4 (SHA-1 and SHA-256, one and two blocks), and RFC 3174 / RFC 6234 test 3.
const SHA: [(&str, &str, &str); 2] = [
    (
        "abc",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
];
const MILLION_A: (&str, &str, &str) = (
    "7707d6ae4e027c70eea2a935c2296f21",
    "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
);

fn of(data: &[u8]) -> Digests {
    let mut hasher = TripleHasher::new();
    hasher.update(data);
    hasher.finish()
}

#[test]
fn published_values() {
    for (text, md5) in MD5 {
        assert_eq!(of(text.as_bytes()).md5.to_string(), md5);
    }
    for (text, sha1, sha256) in SHA {
        let digests = of(text.as_bytes());
        assert_eq!((digests.sha1.to_string(), digests.sha256.to_string()), (sha1.to_owned(), sha256.to_owned()));
    }
}

#[test]
fn a_million_times_a_every_way() {
    let data = vec![b'a'; 1_000_000];
    let right = (MILLION_A.0.to_owned(), MILLION_A.1.to_owned(), MILLION_A.2.to_owned());
    let text = |d: &Digests| (d.md5.to_string(), d.sha1.to_string(), d.sha256.to_string());
    assert_eq!(text(&of(&data)), right);
    assert_eq!(digest_many(&[data.as_slice(); 40]).iter().map(text).collect::<Vec<_>>(), vec![right.clone(); 40]);

    let (mut md5, mut sha1, mut sha256) = (Md5Hasher::new(), Sha1Hasher::new(), Sha256Hasher::new());
    let mut hashers = vec![TripleHasher::new(); 33];
    for piece in data.chunks(65_537) {
        md5.update(piece);
        sha1.update(piece);
        sha256.update(piece);
        let mut jobs: Vec<_> = hashers.iter_mut().map(|hasher| (hasher, piece)).collect();
        update_many(&mut jobs);
    }
    let single = (md5.finish().to_string(), sha1.finish().to_string(), sha256.finish().to_string());
    assert_eq!(single, right);
    assert_eq!(finish_many(hashers).iter().map(text).collect::<Vec<_>>(), vec![right; 33]);
}

#[test]
fn nothing_at_all_is_fine() {
    assert_eq!(digest_many(&[]), []);
    assert_eq!(finish_many(Vec::new()), []);
    update_many(&mut []);
    assert!(TripleHasher::new().is_empty());
    assert!(implementation().contains("md5"));
}

/// A hasher holds bytes of evidence; printing one for debugging must not show them.
#[test]
fn debug_output_holds_no_content() {
    let mut hasher = TripleHasher::new();
    hasher.update(b"name of a child");
    assert_eq!(format!("{hasher:?}"), "TripleHasher { len: 15, .. }");
}
