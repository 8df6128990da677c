//! The context string of a VICS file: which version of the data model, and whose region.

/// What the context string says: `…/DataModels/2.0.xml/UK/$metadata#Cases`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    pub version: Option<String>,
    pub region: Option<String>,
}

impl Context {
    pub fn parse(text: &str) -> Context {
        let model = text.split("DataModels/").nth(1).unwrap_or_default();
        let (version, rest) = model.split_once(".xml").unwrap_or_default();
        let region = rest.strip_prefix('/').and_then(|r| r.split(['/', '#']).next()).filter(|r| !r.starts_with('$'));
        let fits = |t: &&str| !t.is_empty() && t.len() <= 16;
        Context {
            version: Some(version).filter(fits).map(str::to_owned),
            region: region.filter(fits).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strings_of_real_files() {
        let parse = |text: &str| {
            let context = Context::parse(text);
            (context.version, context.region)
        };
        let is = |version: &str, region: Option<&str>| (Some(version.to_owned()), region.map(str::to_owned));
        assert_eq!(parse("http://github.com/ICMEC/ProjectVic/DataModels/1.2.xml#Media"), is("1.2", None));
        assert_eq!(parse("http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Cases"), is("1.3", None));
        let new = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml";
        for region in ["US", "UK", "Default"] {
            assert_eq!(parse(&format!("{new}/{region}/$metadata#Media")), is("2.0", Some(region)));
        }
        assert_eq!(parse(&format!("{new}/$metadata#Media")), is("2.0", None));
        assert_eq!(parse(""), (None, None));
        assert_eq!(parse("DataModels/"), (None, None));
    }
}
