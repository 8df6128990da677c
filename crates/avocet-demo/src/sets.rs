//! The demo's known sets. Their digests are of the generated pictures, and of numbers that match nothing.

use md5::Md5;
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::picture::Picture;

fn hex<D: Digest>(data: &[u8]) -> String {
    D::digest(data).iter().map(|b| format!("{b:02X}")).collect()
}

/// The known set: the pictures with a category, and twenty records that match nothing on the device. One record carries
/// an MD5 alone, as many real ones do.
pub fn vics(pictures: &[Picture]) -> String {
    let known = pictures.iter().filter_map(|p| {
        let category = p.category?;
        let mut media = json!({
            "MediaID": p.number,
            "Category": category,
            "MD5": hex::<Md5>(&p.jpeg),
            "MediaSize": p.jpeg.len(),
            "Tags": format!("known picture {}", p.number),
        });
        if p.number != 7 {
            media["SHA1"] = json!(hex::<Sha1>(&p.jpeg));
        } else if let Some(object) = media.as_object_mut() {
            object.remove("MediaSize");
        }
        Some(media)
    });
    let strangers = (1000..1020u32).map(|n| {
        let content = n.to_le_bytes();
        json!({
            "MediaID": n,
            "Category": n % 4,
            "MD5": hex::<Md5>(&content),
            "SHA1": hex::<Sha1>(&content),
            "MediaSize": content.len(),
            "Tags": format!("known picture {n}"),
        })
    });
    let set = json!({
        "@odata.context": "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media",
        "value": known.chain(strangers).collect::<Vec<_>>(),
    });
    format!("{set:#}\n")
}

/// The list of files that come with software.
pub fn known_good(pictures: &[Picture]) -> String {
    let rows = pictures.iter().filter(|p| p.known_good);
    let lines = rows.map(|p| format!("{},{}\n", hex::<Sha256>(&p.jpeg).to_lowercase(), p.jpeg.len()));
    std::iter::once("sha256,size\n".to_owned()).chain(lines).collect()
}
