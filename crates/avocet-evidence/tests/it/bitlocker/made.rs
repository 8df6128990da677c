//! BitLocker volumes made of plain ones by code of the tests: nothing but the block cipher and CCM is shared with the reader.

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use ccm::aead::AeadInOut;
use ccm::aead::consts::{U12, U16};
use sha2::{Digest, Sha256};

use crate::support::Random;

/// A way to the master key.
#[derive(Clone)]
pub enum Way {
    Clear([u8; 32]),
    Password(&'static str),
    /// Groups of a recovery password, divided by 11.
    Recovery([u16; 8]),
    Startup([u8; 32]),
    /// A kind that is only named.
    Other(u16),
}

/// How a volume is made.
#[derive(Clone)]
pub struct Plan {
    pub method: u16,
    pub sector: usize,
    pub to_go: bool,
    pub on_write: bool,
    pub state: u16,
    /// Bytes that are encrypted; all where this is `None`.
    pub encrypted: Option<u64>,
    pub converting: u32,
    pub ways: Vec<Way>,
    /// Whether an entry says where the first sectors lie, beside the header.
    pub moved_entry: bool,
}

impl Plan {
    pub fn new(method: u16, ways: &[Way]) -> Self {
        Self {
            method,
            sector: 512,
            to_go: false,
            on_write: false,
            state: 4,
            encrypted: None,
            converting: 0,
            ways: ways.to_vec(),
            moved_entry: true,
        }
    }
}

/// What was made.
pub struct Made {
    pub image: Vec<u8>,
    /// Where the three copies of the metadata lie.
    pub copies: [usize; 3],
    /// Where the first sectors lie.
    pub moved_to: usize,
    pub moved: usize,
    /// Bytes of a block up to its checksum.
    pub block: usize,
}

/// The identifier of the protector at a place of the plan.
pub fn id(number: usize) -> [u8; 16] {
    [0xA0 + number as u8; 16]
}

/// The same as Windows writes it.
pub fn id_text(number: usize) -> String {
    let b = format!("{:02X}", id(number)[0]);
    [4, 2, 2, 2, 6].map(|n| b.repeat(n)).join("-")
}

/// The 48 digits.
pub fn digits(groups: &[u16; 8]) -> String {
    groups.map(|g| format!("{:06}", u32::from(g) * 11)).join("-")
}

/// A startup key file for a protector.
pub fn startup_file(number: usize, key: &[u8; 32]) -> Vec<u8> {
    let key = entry(0, 1, &[&0x2002u32.to_le_bytes()[..], key].concat());
    let name: Vec<u8> = "ExternalKey\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let external = entry(6, 9, &[&id(number)[..], &[0; 8], &entry(0, 2, &name), &key].concat());
    let size = (48 + external.len()) as u32;
    let numbers = [size, 1, 48, size].map(u32::to_le_bytes).concat();
    [&numbers[..], &id(number), &[0; 16], &external].concat()
}

fn entry(kind: u16, value: u16, data: &[u8]) -> Vec<u8> {
    let head = [8 + data.len() as u16, kind, value, 1].map(u16::to_le_bytes).concat();
    [&head[..], data].concat()
}

fn seal(with: &[u8; 32], nonce: u8, method: u32, bytes: &[u8]) -> Vec<u8> {
    let mut data = entry(0, 1, &[&method.to_le_bytes()[..], bytes].concat());
    let nonce = [nonce; 12];
    let cipher = ccm::Ccm::<Aes256, U16, U12>::new(&(*with).into());
    let tag = cipher.encrypt_inout_detached(&nonce.into(), b"", data.as_mut_slice().into()).unwrap();
    [&nonce[..], tag.as_slice(), &data].concat()
}

fn sha(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

fn stretched(initial: [u8; 32], salt: &[u8; 16]) -> [u8; 32] {
    let mut last = [0; 32];
    for count in 0..1u64 << 20 {
        let mut sum = Sha256::new();
        sum.update(last);
        sum.update(initial);
        sum.update(salt);
        sum.update(count.to_le_bytes());
        last = sum.finalize().into();
    }
    last
}

fn protector(number: usize, way: &Way, master: &[u8; 32]) -> Vec<u8> {
    let salt = [0x50 + number as u8; 16];
    let stretch = entry(0, 3, &[&0x1000u32.to_le_bytes()[..], &salt].concat());
    let (kind, with, more) = match way {
        Way::Clear(key) => (0u16, *key, entry(0, 1, &[&0x2002u32.to_le_bytes()[..], key].concat())),
        Way::Password(text) => {
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            (0x2000, stretched(sha(&sha(&utf16)), &salt), stretch)
        }
        Way::Recovery(groups) => {
            let key: Vec<u8> = groups.iter().flat_map(|g| g.to_le_bytes()).collect();
            (0x0800, stretched(sha(&key), &salt), stretch)
        }
        Way::Startup(key) => (0x0200, *key, vec![]),
        Way::Other(kind) => (*kind, [9; 32], vec![]),
    };
    let sealed = entry(0, 5, &seal(&with, 0x10 + number as u8, 0x2003, master));
    let head = [&id(number)[..], &[0; 10], &kind.to_le_bytes()].concat();
    entry(2, 8, &[&head[..], &more, &sealed].concat())
}

/// Encrypts one block of AES with 16 or 32 bytes of a key.
fn block(key: &[u8], data: &mut [u8]) {
    let mut one = Array::from(<[u8; 16]>::try_from(&*data).unwrap());
    match key.len() {
        16 => Aes128::new_from_slice(key).unwrap().encrypt_block(&mut one),
        _ => Aes256::new_from_slice(key).unwrap().encrypt_block(&mut one),
    }
    data.copy_from_slice(one.as_slice());
}

fn diffuse(data: &mut [u8]) {
    let mut w: Vec<u32> = data.chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect();
    let n = w.len();
    for _ in 0..5 {
        for i in (0..n).rev() {
            let turn = [9, 0, 13, 0][i % 4];
            w[i] = w[i].wrapping_sub(w[(i + n - 2) % n] ^ w[(i + n - 5) % n].rotate_left(turn));
        }
    }
    for _ in 0..3 {
        for i in (0..n).rev() {
            let turn = [0, 10, 0, 25][i % 4];
            w[i] = w[i].wrapping_sub(w[(i + 2) % n] ^ w[(i + 5) % n].rotate_left(turn));
        }
    }
    let bytes: Vec<u8> = w.iter().flat_map(|w| w.to_le_bytes()).collect();
    data.copy_from_slice(&bytes);
}

/// Encrypts one sector that lies at a byte of the volume.
fn sector(method: u16, key: &[u8], at: u64, data: &mut [u8]) {
    let mut place = [0; 16];
    if method >= 0x8004 {
        place[..8].copy_from_slice(&(at / data.len() as u64).to_le_bytes());
        let (data_key, tweak_key) = key.split_at(key.len() / 2);
        block(tweak_key, &mut place);
        for part in data.chunks_mut(16) {
            part.iter_mut().zip(&place).for_each(|(a, b)| *a ^= b);
            block(data_key, part);
            part.iter_mut().zip(&place).for_each(|(a, b)| *a ^= b);
            let mut carry = 0;
            for byte in &mut place {
                let next = *byte >> 7;
                *byte = (*byte << 1) | carry;
                carry = next;
            }
            place[0] ^= carry * 0x87;
        }
        return;
    }
    place[..8].copy_from_slice(&at.to_le_bytes());
    let short = method.is_multiple_of(2);
    if method < 0x8002 {
        let tweak = if short { &key[32..48] } else { &key[32..64] };
        let mut mask = [place, place].concat();
        mask[31] = 0x80;
        block(tweak, &mut mask[..16]);
        block(tweak, &mut mask[16..]);
        data.iter_mut().zip(mask.iter().cycle()).for_each(|(a, b)| *a ^= b);
        diffuse(data);
    }
    let key = if short { &key[..16] } else { &key[..32] };
    block(key, &mut place);
    for part in data.chunks_mut(16) {
        part.iter_mut().zip(&place).for_each(|(a, b)| *a ^= b);
        block(key, part);
        place.copy_from_slice(part);
    }
}

/// CRC-32 as zlib has it.
pub fn crc(data: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(data);
    sum.sum()
}

/// Where `size` zeros lie that nothing takes yet.
fn free(plain: &[u8], from: usize, size: usize, step: usize, taken: &[(usize, usize)]) -> usize {
    (from / step..)
        .map(|i| i * step)
        .find(|at| {
            taken.iter().all(|(other, length)| at + size <= *other || other + length <= *at)
                && plain[*at..at + size].iter().all(|b| *b == 0)
        })
        .unwrap()
}

/// Encrypts a plain volume, which has to have some zeros in its last three quarters.
pub fn make(plain: &[u8], plan: &Plan) -> Made {
    const AREA: usize = 64 << 10;
    let step = plan.sector.max(4096);
    let mut random = Random(0xB171_0C4E + u64::from(plan.method));
    let mut bytes = |n: usize| -> Vec<u8> { (0..n).map(|_| random.next() as u8).collect() };
    let master: [u8; 32] = bytes(32).try_into().unwrap();
    let data_key = bytes(match plan.method {
        0x8002 => 16,
        0x8003 | 0x8004 => 32,
        _ => 64,
    });
    let moved = if plan.to_go { 10 * plan.sector } else { 8192 };
    let mut taken = vec![];
    for size in [moved, AREA, AREA, AREA] {
        taken.push((free(plain, plain.len() / 4, size, step, &taken), size));
    }
    let places: Vec<usize> = taken.iter().map(|(at, _)| *at).collect();
    let (moved_to, copies) = (places[0], [places[1], places[2], places[3]]);

    let encrypted = plan.encrypted.unwrap_or(plain.len() as u64);
    let mut image = plain.to_vec();
    image[moved_to..moved_to + moved].copy_from_slice(&plain[..moved]);
    for (i, data) in image.chunks_exact_mut(plan.sector).enumerate() {
        let at = (i * plan.sector) as u64;
        if at < encrypted {
            sector(plan.method, &data_key, at, data);
        }
    }
    // The program that a volume to go shows, and the boot sector.
    image[..moved].fill(0x11);
    let place = if plan.to_go { 424 } else { 160 };
    let boot = &mut image[..512];
    boot.fill(0);
    boot[..3].copy_from_slice(&[0xEB, 0x58, 0x90]);
    boot[3..11].copy_from_slice(if plan.to_go { b"MSWIN4.1" } else { b"-FVE-FS-" });
    boot[11..13].copy_from_slice(&(plan.sector as u16).to_le_bytes());
    boot[13] = 8;
    let guid: [u8; 16] = if plan.on_write {
        [0x3B, 0x4D, 0xA8, 0x92, 0x80, 0xDD, 0x0E, 0x4D, 0x9E, 0x4E, 0xB1, 0xE3, 0x28, 0x4E, 0xAE, 0xD8]
    } else {
        [0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01]
    };
    boot[place..place + 16].copy_from_slice(&guid);
    let three: Vec<u8> = copies.iter().flat_map(|c| (*c as u64).to_le_bytes()).collect();
    boot[place + 16..place + 40].copy_from_slice(&three);
    boot[510..].copy_from_slice(&[0x55, 0xAA]);

    let mut list = vec![];
    for (number, way) in plan.ways.iter().enumerate() {
        list.extend(protector(number, way, &master));
    }
    list.extend(entry(3, 5, &seal(&master, 1, u32::from(plan.method), &data_key)));
    if plan.moved_entry {
        list.extend(entry(15, 15, &[(moved_to as u64).to_le_bytes(), (moved as u64).to_le_bytes()].concat()));
    }
    let held = (48 + list.len()) as u32;
    let size = (112 + list.len()).next_multiple_of(16);
    let mut body = b"-FVE-FS-".to_vec();
    body.extend([(size / 16) as u16, 2, plan.state, 4].map(u16::to_le_bytes).concat());
    body.extend(encrypted.to_le_bytes());
    body.extend([plan.converting, (moved / plan.sector) as u32].map(u32::to_le_bytes).concat());
    body.extend(&three);
    body.extend((moved_to as u64).to_le_bytes());
    body.extend([held, 1, 48, held].map(u32::to_le_bytes).concat());
    body.extend([0x77; 16]);
    body.extend([1, u32::from(plan.method)].map(u32::to_le_bytes).concat());
    body.extend([0; 8]);
    body.extend(list);
    body.resize(size, 0);
    let mut area = body.clone();
    area.extend([88u16, 2].map(u16::to_le_bytes).concat());
    area.extend(crc(&body).to_le_bytes());
    area.extend(entry(0, 5, &seal(&master, 2, 0x2005, &sha(&body))));
    area.resize(AREA, 0);
    for at in copies {
        image[at..at + AREA].copy_from_slice(&area);
    }
    Made { image, copies, moved_to, moved, block: size }
}
