//! The board of one investigation for finding out who children are: the children and how far each is, cameras, pictures that
//! look the same, and places on a map that is drawn here and asks nobody.

use std::collections::BTreeMap;

use avocet_base::plural;
use avocet_record::desk::{Desk, Overview};
use avocet_record::event::Act;
use avocet_record::law::Right;
use avocet_record::safeguard::Step;
use maud::{Markup, html};

use super::examinations::by_result;
use super::sections::shown;
use crate::fault::{Fault, upper};
use crate::leads::{self, Camera, Leads, Place, Seen};
use crate::route::{Ctx, Page, Route, Rule, route};
use crate::view::{count, empty, inset, table, tag};

const BOARD: Rule = Rule::Any(&[Right::RestrictedChild]);

pub fn routes() -> Vec<Route> {
    vec![route("/investigations/{i}/identification", BOARD, board)]
}

const STEPS: [(Step, &str); 5] = [
    (Step::Unidentified, "Nobody knows who"),
    (Step::Lead, "There is a lead"),
    (Step::Identified, "Known who"),
    (Step::Located, "Known where"),
    (Step::Safeguarded, "Safe"),
];

async fn board(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let people = desk.people(id).await?;
    let whole = desk.overview(id).await?;
    let children: Vec<_> = people.shown.iter().filter(|shown| shown.child).collect();
    let base = format!("/investigations/{id}");
    let step = |shown: &avocet_record::desk::PersonShown| {
        let unidentified = shown.file.person.made().is_some_and(|(_, unidentified)| unidentified);
        shown.file.identification.step(unidentified)
    };
    let Stated { leads: all, missing, may_view } = stated(ctx, desk, &whole).await?;
    let body = html! {
        (inset(&html! { p { "A lead is never proof. What is known is stated on the child’s page, with what it rests on." } }))
        h2 { "Children" }
        @if children.is_empty() {
            (empty(&html! { p { strong { "No child is recorded." } } p { "Begin a child’s record under People, or press V on a picture when grading: that begins one with the picture as its first lead." } }))
        } @else {
            div.board {
                @for (column, title) in STEPS {
                    @let here: Vec<_> = children.iter().filter(|shown| step(shown) == column).collect();
                    section aria-label=(title) {
                        h3 { (title) span.quiet { " (" (here.len()) ")" } }
                        @for shown in here {
                            @let identification = &shown.file.identification;
                            @let leads = identification.leads();
                            article.card {
                                h4 { a href={ (base) "/people/" (shown.id) } { (shown.id) } }
                                @if let Some((since, _)) = identification.rests() { p { (tag("plain", "Work rests")) " since " (crate::view::day(since)) } }
                                @if leads.is_empty() { p.quiet { "No lead" } }
                                ul { @for (number, lead) in &leads { li {
                                    (number) ". " (upper(&lead.kind.to_string())) ", " (lead.strength)
                                    @match lead.held { None => {}, Some(true) => " – led on", Some(false) => " – led to nothing" }
                                } } }
                                p.quiet { (count(identification.media().len(), "picture or video", "pictures and videos")) }
                                @if desk.holds(Right::RecordChild) {
                                    p { a href={ (base) "/children/" (shown.id) "/lead" } { "A lead" span.unseen { " for " (shown.id) } } " · " a href={ (base) "/children/" (shown.id) "/reached" } { "How far it is" span.unseen { " for " (shown.id) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if !may_view { p { "What pictures state of cameras and places is for those who may view media." } }
        @else {
            @if !missing.is_empty() { (inset(&html! { p { "Not in what follows, because their sealed files are not in the folder that this server looks in: " (missing.join(", ")) "." } })) }
            h2 { "Cameras" }
            (cameras(&all))
            @if desk.holds(Right::RecordExhibit) { p { "Is one of them a device’s own? It is stated on the device’s page, under " a href={ (base) "/exhibits" } { "Exhibits" } "." } }
            h2 { "Series: pictures that look the same" }
            @if all.series.is_empty() { p { "No two pictures look the same within the threshold." } }
            @else {
                p { (count(all.series.len(), "group", "groups")) " of two or more, with " (plural(all.series.iter().sum(), "picture", "pictures")) " in all. The largest: "
                    (all.series.iter().take(10).map(u64::to_string).collect::<Vec<_>>().join(", ")) ". Which pictures they are is seen when grading, under G." }
            }
            h2 { "Places" }
            (places(&all))
        }
    };
    shown(ctx, desk, "Victim identification", &body).await
}

/// What the pictures of an investigation state.
pub struct Stated {
    /// Together.
    pub leads: Leads,
    /// Examinations whose sealed files are not here.
    pub missing: Vec<String>,
    /// Whether this person may read it at all.
    pub may_view: bool,
}

/// Reads it from the sealed files, for those who may view media. The look is recorded.
pub async fn stated(ctx: &Ctx, desk: &Desk<'_>, whole: &Overview) -> Result<Stated, Fault> {
    let may_view = desk.may(Right::ViewMedia, Some(whole.id)).await.is_ok();
    let mut stated = Stated { leads: Leads::default(), missing: vec![], may_view };
    for attached in whole.examinations.iter().filter(|done| may_view && done.replaced_by.is_none()) {
        match by_result(ctx, attached.result_digest) {
            Some(found) => {
                let one = leads::read(&found.path).map_err(|_| Fault::Server("read an examination"))?;
                merge(&mut stated.leads, one);
            }
            None => stated.missing.push(attached.id.to_string()),
        }
    }
    if may_view {
        let (at, pictures) = (vec![whole.id.to_string()], stated.leads.pictures);
        desk.looked(Act::Viewed, at, "cameras and places of its pictures", pictures).await?;
    }
    Ok(stated)
}

fn merge(all: &mut Leads, one: Leads) {
    fn add<K: Ord>(all: &mut BTreeMap<K, Seen>, one: BTreeMap<K, Seen>) {
        for (key, seen) in one {
            let kept = all.entry(key).or_default();
            kept.contents = kept.contents.saturating_add(seen.contents);
            kept.first = kept.first.take().into_iter().chain(seen.first).min();
            kept.last = kept.last.take().into_iter().chain(seen.last).max();
        }
    }
    add(&mut all.cameras, one.cameras);
    add(&mut all.places, one.places);
    all.series.extend(one.series);
    all.series.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    all.pictures = all.pictures.saturating_add(one.pictures);
    all.without_camera = all.without_camera.saturating_add(one.without_camera);
    all.without_place = all.without_place.saturating_add(one.without_place);
    all.impossible = all.impossible.saturating_add(one.impossible);
}

/// From when to when pictures say that they were taken.
pub fn span(seen: &Seen) -> String {
    match (&seen.first, &seen.last) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (Some(only), _) => only.clone(),
        _ => "not stated".to_owned(),
    }
}

/// Lines of one table; how many more there are is said.
const LINES: usize = 100;

fn cameras(leads: &Leads) -> Markup {
    let mut sorted: Vec<(&Camera, &Seen)> = leads.cameras.iter().collect();
    sorted.sort_by_key(|(camera, seen)| (camera.serial.is_none(), std::cmp::Reverse(seen.contents)));
    let lines: Vec<Vec<Markup>> = sorted
        .iter()
        .take(LINES)
        .map(|(camera, seen)| {
            vec![
                html! { @if camera.name.is_empty() { "not stated" } @else { (camera.name) } },
                html! { @match &camera.serial { Some(serial) => span.mono { (serial) }, None => "not stated" } },
                html! { (seen.contents) },
                html! { (span(seen)) },
            ]
        })
        .collect();
    html! {
        @if lines.is_empty() { p { "No picture states a camera." } }
        @else { (table("Cameras that pictures state, those with a number of their own first", &["Make and model", "Its own number", "Contents", "Taken, as they say it"], &lines)) }
        @if sorted.len() > LINES { p { (sorted.len().saturating_sub(LINES)) " more are not shown." } }
        p.quiet { (plural(leads.without_camera, "picture states", "pictures state")) " no camera, of " (leads.pictures) "." }
    }
}

fn places(leads: &Leads) -> Markup {
    let mut sorted: Vec<(&Place, &Seen)> = leads.places.iter().collect();
    sorted.sort_by_key(|(place, seen)| (std::cmp::Reverse(seen.contents), **place));
    let shown: Vec<(&Place, &Seen)> = sorted.iter().take(LINES).copied().collect();
    let lines: Vec<Vec<Markup>> = (1..)
        .zip(&shown)
        .map(|(number, (place, seen))| {
            vec![html! { (number) }, html! { (place) }, html! { (seen.contents) }, html! { (span(seen)) }]
        })
        .collect();
    html! {
        @if lines.is_empty() {
            (empty(&html! { p { strong { "No picture states where it was taken." } } p { "Many services take it out. That there is none says nothing." } }))
        } @else {
            (map(&shown))
            (table("Places that pictures state, to about ten metres", &["Number", "Place", "Contents", "Taken, as they say it"], &lines))
        }
        @if sorted.len() > LINES { p { (sorted.len().saturating_sub(LINES)) " more are not shown." } }
        p.quiet {
            (plural(leads.without_place, "picture states", "pictures state")) " no place"
            @if leads.impossible > 0 { "; " (leads.impossible) " state one that is off the globe" }
            ", of " (leads.pictures) ". A place can be wrong or made up."
        }
    }
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const MARGIN: f64 = 46.0;
/// Steps of the lines of the map, in degrees.
const STEPS_OF_LINES: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0];

/// What the map shows of the globe: a square of degrees around all points, never so near that one place looks like a town.
struct Window {
    west: f64,
    south: f64,
    span: (f64, f64),
    step: f64,
}

impl Window {
    fn of(places: &[(&Place, &Seen)]) -> Self {
        let degrees = |n: i32| f64::from(n) / 10_000.0;
        let range = |of: fn(&Place) -> i32| {
            let all = || places.iter().map(|(place, _)| degrees(of(place)));
            (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max))
        };
        let ((south, north), (west, east)) = (range(|place| place.latitude), range(|place| place.longitude));
        // One degree from west to east is shorter the further it is from the equator.
        let squeeze = ((south + north) / 2.0).to_radians().cos().max(0.1);
        let wide = ((east - west) * squeeze).max((north - south) * WIDTH / HEIGHT).max(0.02) * 1.2;
        let span = (wide / squeeze, wide * HEIGHT / WIDTH);
        let step = STEPS_OF_LINES.into_iter().find(|step| span.0 / step <= 8.0 && span.1 / step <= 8.0).unwrap_or(60.0);
        Self { west: (west + east - span.0) / 2.0, south: (south + north - span.1) / 2.0, span, step }
    }

    fn x(&self, longitude: f64) -> f64 {
        MARGIN + (longitude - self.west) / self.span.0 * WIDTH
    }

    fn y(&self, latitude: f64) -> f64 {
        HEIGHT - (latitude - self.south) / self.span.1 * HEIGHT
    }

    /// The lines between two ends, each with its degrees.
    fn lines(&self, from: f64, span: f64) -> Vec<f64> {
        let first = (from / self.step).ceil();
        (0..60u32).map(|n| (first + f64::from(n)) * self.step).take_while(|at| *at <= from + span).collect()
    }
}

fn map(places: &[(&Place, &Seen)]) -> Markup {
    let window = Window::of(places);
    let digits = if window.step < 0.01 {
        3
    } else if window.step < 1.0 {
        2
    } else {
        0
    };
    let end = |value: f64| format!("{value:.1}");
    // A degree of latitude is about 111.2 kilometres everywhere.
    let kilometres = window.step * 111.2;
    let bar = window.step / window.span.1 * HEIGHT;
    let length = if kilometres < 1.0 { format!("{:.0} m", kilometres * 1000.0) } else { format!("{kilometres:.1} km") };
    html! {
        svg.map viewBox={ "0 0 " (end(WIDTH + MARGIN + 12.0)) " " (end(HEIGHT + 40.0)) } role="img" aria-label="Map of the places; the table beside it has the same numbers" {
            rect.sea x=(end(MARGIN)) y="0" width=(end(WIDTH)) height=(end(HEIGHT)) {}
            @for longitude in window.lines(window.west, window.span.0) {
                line.grid x1=(end(window.x(longitude))) x2=(end(window.x(longitude))) y1="0" y2=(end(HEIGHT)) {}
                text.quiet x=(end(window.x(longitude))) y=(end(HEIGHT + 16.0)) text-anchor="middle" { (format!("{longitude:.digits$}°")) }
            }
            @for latitude in window.lines(window.south, window.span.1) {
                line.grid x1=(end(MARGIN)) x2=(end(MARGIN + WIDTH)) y1=(end(window.y(latitude))) y2=(end(window.y(latitude))) {}
                text.quiet x=(end(MARGIN - 4.0)) y=(end(window.y(latitude) + 4.0)) text-anchor="end" { (format!("{latitude:.digits$}°")) }
            }
            @for (number, (place, _)) in (1..).zip(places).collect::<Vec<_>>().into_iter().rev() {
                @let (x, y) = (window.x(f64::from(place.longitude) / 10_000.0), window.y(f64::from(place.latitude) / 10_000.0));
                circle.point cx=(end(x)) cy=(end(y)) r="11" {}
                text.on x=(end(x)) y=(end(y + 4.0)) text-anchor="middle" { (number) }
            }
            line.scale x1=(end(MARGIN)) x2=(end(MARGIN + bar)) y1=(end(HEIGHT + 28.0)) y2=(end(HEIGHT + 28.0)) {}
            text x=(end(MARGIN + bar + 8.0)) y=(end(HEIGHT + 33.0)) { "about " (length) ". North is up." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_lies_within_the_map_wherever_on_the_globe() {
        let seen = Seen::default();
        for points in [
            vec![(514_774, -15)],
            vec![(514_774, -15), (514_800, 100), (515_000, -400)],
            vec![(-338_568, 1_512_153), (514_774, -15)],
            vec![(899_999, 1_799_999), (-899_999, -1_799_999)],
            vec![(0, 0), (0, 1)],
        ] {
            let places: Vec<Place> = points
                .iter()
                .map(|(latitude, longitude)| Place { latitude: *latitude, longitude: *longitude })
                .collect();
            let refs: Vec<(&Place, &Seen)> = places.iter().map(|place| (place, &seen)).collect();
            let window = Window::of(&refs);
            for place in &places {
                let (x, y) =
                    (window.x(f64::from(place.longitude) / 10_000.0), window.y(f64::from(place.latitude) / 10_000.0));
                assert!((MARGIN..=MARGIN + WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{place}: {x} {y}");
            }
            let lines = window.lines(window.west, window.span.0).len();
            assert!((1..=9).contains(&lines), "{lines} lines");
            // The further north a point, the higher; the further east, the more to the right.
            assert!(window.y(1.0) > window.y(2.0) && window.x(2.0) > window.x(1.0));
        }
    }
}
