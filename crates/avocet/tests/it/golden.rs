//! The result digest of a device made in the test. Where it changes, results of one version cannot be compared with
//! those of the next: change it knowingly, and say in CHANGELOG.md, under the new version, what changes results.

use super::support::Place;

/// Where the test fails it prints the new digest, the rows and the problems: compare them with those of the version
/// before, and put the new digest here once every difference is understood.
const GOLDEN: &str = "42aacaf419c163aa745b72a9edf5a992c747bf34a076812119d8d9f14deca0ef";

#[test]
fn the_same_device_gives_the_digest_of_the_versions_before() {
    let place = Place::new();
    place.device("d");
    place.csv("s.csv", "md5,category", &["d41d8cd98f00b204e9800998ecf8427a,1".into()]);
    let ran = place.examine("d", "x", &["--known", "s.csv=alert"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = place.run(["verify", "x", "--expect", GOLDEN]);
    let listed = place.run(["list", "x", "--format", "csv"]).out;
    let problems = place.run(["list", "x", "--problems", "--format", "csv"]).out;
    assert_eq!(ran.code, 0, "results changed: {}\n{listed}\n{problems}", ran.out);
}
