//! How far embedded thumbnails lie from their own pictures and from others': what the limit between "same" and
//! "differs" rests on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use avocet_media::describe::{Form, HashFacts, THUMBNAIL_DIFFERS, Thumbnail, describe, thumbnail_distance};
use avocet_media::meta::read;

use crate::support::testdata;

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

struct Carrier {
    name: String,
    thumbnail: Vec<u8>,
    main: HashFacts,
    sides: (u32, u32),
    said: Option<Thumbnail>,
}

/// The table of `docs/validation/pictures-metadata.md`: run with `--nocapture`.
#[test]
fn own_and_exchanged_thumbnails() {
    let Some(root) = testdata() else { return };
    let mut paths = vec![];
    for folder in ["pictures/exif", "pictures/formats", "perceptual/pdq"] {
        files(&root.join(folder), &mut paths);
    }
    paths.sort();
    let mut carriers = vec![];
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        let Some(thumbnail) = read(&bytes).thumbnail else { continue };
        let description = describe(&bytes, false).description;
        let said = description.thumbnail;
        let Some(main) = description.hashes.into_iter().find(|h| h.form == Form::Full) else { continue };
        let image = &description.images[main.image as usize];
        let sides = (image.width, image.height);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        carriers.push(Carrier { name, thumbnail, main, sides, said });
    }
    let mut own: Vec<(u32, &str, Option<Thumbnail>)> = vec![];
    let mut not_compared: BTreeMap<&str, usize> = BTreeMap::new();
    let mut exchanged: BTreeMap<u32, usize> = BTreeMap::new();
    for (i, carrier) in carriers.iter().enumerate() {
        match thumbnail_distance(&carrier.thumbnail, &carrier.main, carrier.sides) {
            Ok(bits) => own.push((bits, &carrier.name, carrier.said)),
            Err(why) => *not_compared.entry(why.name()).or_default() += 1,
        }
        for other in carriers.iter().enumerate().filter(|(j, _)| i != *j).map(|(_, c)| c) {
            // Pictures of one scene have like thumbnails.
            if carrier.main.turned.iter().any(|h| h.distance(&other.main.turned[0]) < 64) {
                continue;
            }
            if let Ok(bits) = thumbnail_distance(&other.thumbnail, &carrier.main, carrier.sides) {
                *exchanged.entry(bits).or_default() += 1;
            }
        }
    }
    own.sort();
    println!("{} pictures with a thumbnail and a hash; not compared: {not_compared:?}", carriers.len());
    println!("own: {:?}", own.iter().map(|o| o.0).collect::<Vec<_>>());
    for (bits, name, said) in own.iter().filter(|o| o.0 > 31) {
        println!("  {bits} {said:?} {name}");
    }
    println!("exchanged: {} pairs {exchanged:?}", exchanged.values().sum::<usize>());
    let differ: Vec<&str> = own.iter().filter(|o| o.0 >= THUMBNAIL_DIFFERS).map(|o| o.1).collect();
    // One is cut from the picture that its thumbnail shows, the other shows less than its thumbnail on every side.
    assert_eq!(differ, ["Traveler_SX330Z.jpg", "Sony_Cybershot__3_.jpg"]);
    for (bits, name, said) in &own {
        let expected = if *bits < THUMBNAIL_DIFFERS { Thumbnail::Same } else { Thumbnail::Differs };
        assert_eq!(*said, Some(expected), "{name}");
    }
    let taken_for_own: usize = exchanged.range(..THUMBNAIL_DIFFERS).map(|(_, n)| n).sum();
    assert_eq!((own.len(), exchanged.values().sum::<usize>(), taken_for_own), (133, 17_550, 0));
}
