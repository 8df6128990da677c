//! The rounds of the three digests as tables, written once for every width.
//!
//! Each macro calls the macro it is given once per round, with the working variables already in the place they have in
//! that round, so that no values move and every index and shift is a constant. Sources: RFC 1321 section 3.4 for MD5,
//! FIPS 180-4 sections 6.1.2 and 6.2.2 for SHA-1 and SHA-256.

/// The start value of MD5 (RFC 1321 section 3.3).
pub(crate) const MD5_START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The start value of SHA-1 (FIPS 180-4 section 5.3.1).
pub(crate) const SHA1_START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// The start value of SHA-256 (FIPS 180-4 section 5.3.3).
pub(crate) const SHA256_START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The round constants of SHA-256 (FIPS 180-4 section 4.2.2).
#[rustfmt::skip]
pub(crate) const SHA256_ROUND: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Calls `step!(function a b c d, word, shift, constant)` for the 64 rounds of MD5.
macro_rules! md5_rounds {
    ($step:ident, $a:ident $b:ident $c:ident $d:ident) => {
        $step!(F $a $b $c $d,  0,  7, 0xd76a_a478);
        $step!(F $d $a $b $c,  1, 12, 0xe8c7_b756);
        $step!(F $c $d $a $b,  2, 17, 0x2420_70db);
        $step!(F $b $c $d $a,  3, 22, 0xc1bd_ceee);
        $step!(F $a $b $c $d,  4,  7, 0xf57c_0faf);
        $step!(F $d $a $b $c,  5, 12, 0x4787_c62a);
        $step!(F $c $d $a $b,  6, 17, 0xa830_4613);
        $step!(F $b $c $d $a,  7, 22, 0xfd46_9501);
        $step!(F $a $b $c $d,  8,  7, 0x6980_98d8);
        $step!(F $d $a $b $c,  9, 12, 0x8b44_f7af);
        $step!(F $c $d $a $b, 10, 17, 0xffff_5bb1);
        $step!(F $b $c $d $a, 11, 22, 0x895c_d7be);
        $step!(F $a $b $c $d, 12,  7, 0x6b90_1122);
        $step!(F $d $a $b $c, 13, 12, 0xfd98_7193);
        $step!(F $c $d $a $b, 14, 17, 0xa679_438e);
        $step!(F $b $c $d $a, 15, 22, 0x49b4_0821);
        $step!(G $a $b $c $d,  1,  5, 0xf61e_2562);
        $step!(G $d $a $b $c,  6,  9, 0xc040_b340);
        $step!(G $c $d $a $b, 11, 14, 0x265e_5a51);
        $step!(G $b $c $d $a,  0, 20, 0xe9b6_c7aa);
        $step!(G $a $b $c $d,  5,  5, 0xd62f_105d);
        $step!(G $d $a $b $c, 10,  9, 0x0244_1453);
        $step!(G $c $d $a $b, 15, 14, 0xd8a1_e681);
        $step!(G $b $c $d $a,  4, 20, 0xe7d3_fbc8);
        $step!(G $a $b $c $d,  9,  5, 0x21e1_cde6);
        $step!(G $d $a $b $c, 14,  9, 0xc337_07d6);
        $step!(G $c $d $a $b,  3, 14, 0xf4d5_0d87);
        $step!(G $b $c $d $a,  8, 20, 0x455a_14ed);
        $step!(G $a $b $c $d, 13,  5, 0xa9e3_e905);
        $step!(G $d $a $b $c,  2,  9, 0xfcef_a3f8);
        $step!(G $c $d $a $b,  7, 14, 0x676f_02d9);
        $step!(G $b $c $d $a, 12, 20, 0x8d2a_4c8a);
        $step!(H $a $b $c $d,  5,  4, 0xfffa_3942);
        $step!(H $d $a $b $c,  8, 11, 0x8771_f681);
        $step!(H $c $d $a $b, 11, 16, 0x6d9d_6122);
        $step!(H $b $c $d $a, 14, 23, 0xfde5_380c);
        $step!(H $a $b $c $d,  1,  4, 0xa4be_ea44);
        $step!(H $d $a $b $c,  4, 11, 0x4bde_cfa9);
        $step!(H $c $d $a $b,  7, 16, 0xf6bb_4b60);
        $step!(H $b $c $d $a, 10, 23, 0xbebf_bc70);
        $step!(H $a $b $c $d, 13,  4, 0x289b_7ec6);
        $step!(H $d $a $b $c,  0, 11, 0xeaa1_27fa);
        $step!(H $c $d $a $b,  3, 16, 0xd4ef_3085);
        $step!(H $b $c $d $a,  6, 23, 0x0488_1d05);
        $step!(H $a $b $c $d,  9,  4, 0xd9d4_d039);
        $step!(H $d $a $b $c, 12, 11, 0xe6db_99e5);
        $step!(H $c $d $a $b, 15, 16, 0x1fa2_7cf8);
        $step!(H $b $c $d $a,  2, 23, 0xc4ac_5665);
        $step!(I $a $b $c $d,  0,  6, 0xf429_2244);
        $step!(I $d $a $b $c,  7, 10, 0x432a_ff97);
        $step!(I $c $d $a $b, 14, 15, 0xab94_23a7);
        $step!(I $b $c $d $a,  5, 21, 0xfc93_a039);
        $step!(I $a $b $c $d, 12,  6, 0x655b_59c3);
        $step!(I $d $a $b $c,  3, 10, 0x8f0c_cc92);
        $step!(I $c $d $a $b, 10, 15, 0xffef_f47d);
        $step!(I $b $c $d $a,  1, 21, 0x8584_5dd1);
        $step!(I $a $b $c $d,  8,  6, 0x6fa8_7e4f);
        $step!(I $d $a $b $c, 15, 10, 0xfe2c_e6e0);
        $step!(I $c $d $a $b,  6, 15, 0xa301_4314);
        $step!(I $b $c $d $a, 13, 21, 0x4e08_11a1);
        $step!(I $a $b $c $d,  4,  6, 0xf753_7e82);
        $step!(I $d $a $b $c, 11, 10, 0xbd3a_f235);
        $step!(I $c $d $a $b,  2, 15, 0x2ad7_d2bb);
        $step!(I $b $c $d $a,  9, 21, 0xeb86_d391);
    };
}

/// Calls `step!(function a b c d e, round, constant)` for the 80 rounds of SHA-1.
macro_rules! sha1_rounds {
    ($step:ident, $a:ident $b:ident $c:ident $d:ident $e:ident) => {
        $step!(choose $a $b $c $d $e,  0, 0x5a82_7999);
        $step!(choose $e $a $b $c $d,  1, 0x5a82_7999);
        $step!(choose $d $e $a $b $c,  2, 0x5a82_7999);
        $step!(choose $c $d $e $a $b,  3, 0x5a82_7999);
        $step!(choose $b $c $d $e $a,  4, 0x5a82_7999);
        $step!(choose $a $b $c $d $e,  5, 0x5a82_7999);
        $step!(choose $e $a $b $c $d,  6, 0x5a82_7999);
        $step!(choose $d $e $a $b $c,  7, 0x5a82_7999);
        $step!(choose $c $d $e $a $b,  8, 0x5a82_7999);
        $step!(choose $b $c $d $e $a,  9, 0x5a82_7999);
        $step!(choose $a $b $c $d $e, 10, 0x5a82_7999);
        $step!(choose $e $a $b $c $d, 11, 0x5a82_7999);
        $step!(choose $d $e $a $b $c, 12, 0x5a82_7999);
        $step!(choose $c $d $e $a $b, 13, 0x5a82_7999);
        $step!(choose $b $c $d $e $a, 14, 0x5a82_7999);
        $step!(choose $a $b $c $d $e, 15, 0x5a82_7999);
        $step!(choose $e $a $b $c $d, 16, 0x5a82_7999);
        $step!(choose $d $e $a $b $c, 17, 0x5a82_7999);
        $step!(choose $c $d $e $a $b, 18, 0x5a82_7999);
        $step!(choose $b $c $d $e $a, 19, 0x5a82_7999);
        $step!(parity $a $b $c $d $e, 20, 0x6ed9_eba1);
        $step!(parity $e $a $b $c $d, 21, 0x6ed9_eba1);
        $step!(parity $d $e $a $b $c, 22, 0x6ed9_eba1);
        $step!(parity $c $d $e $a $b, 23, 0x6ed9_eba1);
        $step!(parity $b $c $d $e $a, 24, 0x6ed9_eba1);
        $step!(parity $a $b $c $d $e, 25, 0x6ed9_eba1);
        $step!(parity $e $a $b $c $d, 26, 0x6ed9_eba1);
        $step!(parity $d $e $a $b $c, 27, 0x6ed9_eba1);
        $step!(parity $c $d $e $a $b, 28, 0x6ed9_eba1);
        $step!(parity $b $c $d $e $a, 29, 0x6ed9_eba1);
        $step!(parity $a $b $c $d $e, 30, 0x6ed9_eba1);
        $step!(parity $e $a $b $c $d, 31, 0x6ed9_eba1);
        $step!(parity $d $e $a $b $c, 32, 0x6ed9_eba1);
        $step!(parity $c $d $e $a $b, 33, 0x6ed9_eba1);
        $step!(parity $b $c $d $e $a, 34, 0x6ed9_eba1);
        $step!(parity $a $b $c $d $e, 35, 0x6ed9_eba1);
        $step!(parity $e $a $b $c $d, 36, 0x6ed9_eba1);
        $step!(parity $d $e $a $b $c, 37, 0x6ed9_eba1);
        $step!(parity $c $d $e $a $b, 38, 0x6ed9_eba1);
        $step!(parity $b $c $d $e $a, 39, 0x6ed9_eba1);
        $step!(majority $a $b $c $d $e, 40, 0x8f1b_bcdc);
        $step!(majority $e $a $b $c $d, 41, 0x8f1b_bcdc);
        $step!(majority $d $e $a $b $c, 42, 0x8f1b_bcdc);
        $step!(majority $c $d $e $a $b, 43, 0x8f1b_bcdc);
        $step!(majority $b $c $d $e $a, 44, 0x8f1b_bcdc);
        $step!(majority $a $b $c $d $e, 45, 0x8f1b_bcdc);
        $step!(majority $e $a $b $c $d, 46, 0x8f1b_bcdc);
        $step!(majority $d $e $a $b $c, 47, 0x8f1b_bcdc);
        $step!(majority $c $d $e $a $b, 48, 0x8f1b_bcdc);
        $step!(majority $b $c $d $e $a, 49, 0x8f1b_bcdc);
        $step!(majority $a $b $c $d $e, 50, 0x8f1b_bcdc);
        $step!(majority $e $a $b $c $d, 51, 0x8f1b_bcdc);
        $step!(majority $d $e $a $b $c, 52, 0x8f1b_bcdc);
        $step!(majority $c $d $e $a $b, 53, 0x8f1b_bcdc);
        $step!(majority $b $c $d $e $a, 54, 0x8f1b_bcdc);
        $step!(majority $a $b $c $d $e, 55, 0x8f1b_bcdc);
        $step!(majority $e $a $b $c $d, 56, 0x8f1b_bcdc);
        $step!(majority $d $e $a $b $c, 57, 0x8f1b_bcdc);
        $step!(majority $c $d $e $a $b, 58, 0x8f1b_bcdc);
        $step!(majority $b $c $d $e $a, 59, 0x8f1b_bcdc);
        $step!(parity $a $b $c $d $e, 60, 0xca62_c1d6);
        $step!(parity $e $a $b $c $d, 61, 0xca62_c1d6);
        $step!(parity $d $e $a $b $c, 62, 0xca62_c1d6);
        $step!(parity $c $d $e $a $b, 63, 0xca62_c1d6);
        $step!(parity $b $c $d $e $a, 64, 0xca62_c1d6);
        $step!(parity $a $b $c $d $e, 65, 0xca62_c1d6);
        $step!(parity $e $a $b $c $d, 66, 0xca62_c1d6);
        $step!(parity $d $e $a $b $c, 67, 0xca62_c1d6);
        $step!(parity $c $d $e $a $b, 68, 0xca62_c1d6);
        $step!(parity $b $c $d $e $a, 69, 0xca62_c1d6);
        $step!(parity $a $b $c $d $e, 70, 0xca62_c1d6);
        $step!(parity $e $a $b $c $d, 71, 0xca62_c1d6);
        $step!(parity $d $e $a $b $c, 72, 0xca62_c1d6);
        $step!(parity $c $d $e $a $b, 73, 0xca62_c1d6);
        $step!(parity $b $c $d $e $a, 74, 0xca62_c1d6);
        $step!(parity $a $b $c $d $e, 75, 0xca62_c1d6);
        $step!(parity $e $a $b $c $d, 76, 0xca62_c1d6);
        $step!(parity $d $e $a $b $c, 77, 0xca62_c1d6);
        $step!(parity $c $d $e $a $b, 78, 0xca62_c1d6);
        $step!(parity $b $c $d $e $a, 79, 0xca62_c1d6);
    };
}

/// Calls `step!(a b c d e f g h, round)` for the 64 rounds of SHA-256.
macro_rules! sha256_rounds {
    ($step:ident, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
        $step!($a $b $c $d $e $f $g $h,  0);
        $step!($h $a $b $c $d $e $f $g,  1);
        $step!($g $h $a $b $c $d $e $f,  2);
        $step!($f $g $h $a $b $c $d $e,  3);
        $step!($e $f $g $h $a $b $c $d,  4);
        $step!($d $e $f $g $h $a $b $c,  5);
        $step!($c $d $e $f $g $h $a $b,  6);
        $step!($b $c $d $e $f $g $h $a,  7);
        $step!($a $b $c $d $e $f $g $h,  8);
        $step!($h $a $b $c $d $e $f $g,  9);
        $step!($g $h $a $b $c $d $e $f, 10);
        $step!($f $g $h $a $b $c $d $e, 11);
        $step!($e $f $g $h $a $b $c $d, 12);
        $step!($d $e $f $g $h $a $b $c, 13);
        $step!($c $d $e $f $g $h $a $b, 14);
        $step!($b $c $d $e $f $g $h $a, 15);
        $step!($a $b $c $d $e $f $g $h, 16);
        $step!($h $a $b $c $d $e $f $g, 17);
        $step!($g $h $a $b $c $d $e $f, 18);
        $step!($f $g $h $a $b $c $d $e, 19);
        $step!($e $f $g $h $a $b $c $d, 20);
        $step!($d $e $f $g $h $a $b $c, 21);
        $step!($c $d $e $f $g $h $a $b, 22);
        $step!($b $c $d $e $f $g $h $a, 23);
        $step!($a $b $c $d $e $f $g $h, 24);
        $step!($h $a $b $c $d $e $f $g, 25);
        $step!($g $h $a $b $c $d $e $f, 26);
        $step!($f $g $h $a $b $c $d $e, 27);
        $step!($e $f $g $h $a $b $c $d, 28);
        $step!($d $e $f $g $h $a $b $c, 29);
        $step!($c $d $e $f $g $h $a $b, 30);
        $step!($b $c $d $e $f $g $h $a, 31);
        $step!($a $b $c $d $e $f $g $h, 32);
        $step!($h $a $b $c $d $e $f $g, 33);
        $step!($g $h $a $b $c $d $e $f, 34);
        $step!($f $g $h $a $b $c $d $e, 35);
        $step!($e $f $g $h $a $b $c $d, 36);
        $step!($d $e $f $g $h $a $b $c, 37);
        $step!($c $d $e $f $g $h $a $b, 38);
        $step!($b $c $d $e $f $g $h $a, 39);
        $step!($a $b $c $d $e $f $g $h, 40);
        $step!($h $a $b $c $d $e $f $g, 41);
        $step!($g $h $a $b $c $d $e $f, 42);
        $step!($f $g $h $a $b $c $d $e, 43);
        $step!($e $f $g $h $a $b $c $d, 44);
        $step!($d $e $f $g $h $a $b $c, 45);
        $step!($c $d $e $f $g $h $a $b, 46);
        $step!($b $c $d $e $f $g $h $a, 47);
        $step!($a $b $c $d $e $f $g $h, 48);
        $step!($h $a $b $c $d $e $f $g, 49);
        $step!($g $h $a $b $c $d $e $f, 50);
        $step!($f $g $h $a $b $c $d $e, 51);
        $step!($e $f $g $h $a $b $c $d, 52);
        $step!($d $e $f $g $h $a $b $c, 53);
        $step!($c $d $e $f $g $h $a $b, 54);
        $step!($b $c $d $e $f $g $h $a, 55);
        $step!($a $b $c $d $e $f $g $h, 56);
        $step!($h $a $b $c $d $e $f $g, 57);
        $step!($g $h $a $b $c $d $e $f, 58);
        $step!($f $g $h $a $b $c $d $e, 59);
        $step!($e $f $g $h $a $b $c $d, 60);
        $step!($d $e $f $g $h $a $b $c, 61);
        $step!($c $d $e $f $g $h $a $b, 62);
        $step!($b $c $d $e $f $g $h $a, 63);
    };
}

pub(crate) use {md5_rounds, sha1_rounds, sha256_rounds};
