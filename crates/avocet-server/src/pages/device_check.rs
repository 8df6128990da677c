//! A device check of an order: the pictures and videos of an examination against those of the last check. What it states is
//! computed, never typed.

use avocet_record::desk::Desk;
use avocet_record::law::Right;
use avocet_record::{ExaminationId, ExhibitId, OrderId, RecordError};
use maud::{Markup, html};

use super::sections::exhibit_name;
use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong, need_time};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, error_summary, inset};

const ORDER: Rule = Rule::Any(&[Right::RecordOrder]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations/{i}/orders/{thing}/device", ORDER, ask),
        form("/investigations/{i}/orders/{thing}/device", ORDER, check),
    ]
}

async fn ask(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut form = Form::default();
    form.or("when", view::uk_input(desk.now()));
    Ok(Answer::Html(page(ctx, desk, &form, &Wrong::default()).await?))
}

async fn page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let id = ctx.investigation()?;
    let order: OrderId = ctx.id("thing")?;
    let whole = desk.overview(id).await?;
    let fields = Fields { form, wrong };
    let exhibits: Vec<(String, String)> =
        whole.exhibits.iter().map(|exhibit| (exhibit.id.to_string(), exhibit_name(exhibit))).collect();
    let examinations: Vec<(String, String)> = whole
        .examinations
        .iter()
        .map(|done| (done.id.to_string(), format!("{} of {}, attached {}", done.id, done.exhibit, view::uk(done.at))))
        .collect();
    let body = html! {
        (inset(&html! { p { "The pictures and videos of the device’s examination are compared with those of the last check, content by content: how many are the same, new and gone is recorded. What they show is not." } }))
        (error_summary(wrong))
        @if examinations.is_empty() { p { "No examination is attached to this investigation yet. The device is examined first, and the result attached." } }
        @else {
            form method="post" action=(ctx.path) {
                (view::csrf(ctx))
                (fields.select("exhibit", "Which device", "", &exhibits))
                (fields.select("examination", "Its examination of now", "", &examinations))
                (fields.select("previous", "Compared with (if not with the last check)", "", &examinations))
                (fields.time("when", "When it was checked", ""))
                div.actions {
                    button.main type="submit" { "Compare and record it" }
                    a href={ "/investigations/" (id) "/orders" } { "Leave without recording" }
                }
            }
        }
    };
    let head = desk.head(id).await?;
    Ok(view::investigation_page(ctx, desk, &head, &format!("A device was checked: {order}"), &body))
}

async fn check(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let order: OrderId = ctx.id("thing")?;
    let form = &ctx.form;
    let mut wrong = Wrong::default();
    let exhibit: Option<ExhibitId> = form.text("exhibit").and_then(|text| text.parse().ok());
    let examination: Option<ExaminationId> = form.text("examination").and_then(|text| text.parse().ok());
    let previous: Option<ExaminationId> = form.text("previous").and_then(|text| text.parse().ok());
    let when = need_time(form, &mut wrong, "when");
    if exhibit.is_none() {
        wrong.add("exhibit", "Choose the device");
    }
    if examination.is_none() {
        wrong.add("examination", "Choose the examination");
    }
    if let (Some(exhibit), Some(examination), true) = (exhibit, examination, wrong.is_none()) {
        match desk.check_device(order, exhibit, examination, previous, when).await {
            Ok((seq, compared)) => {
                let told = format!(
                    "Recorded as entry {seq}: {} the same, {} new, {} gone.",
                    compared.same,
                    compared.new.len(),
                    compared.gone.len()
                );
                return ctx.told(format!("/investigations/{id}/orders"), told);
            }
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(RecordError::Unknown { .. }) => wrong.add("", "Choose a device and examinations of this investigation"),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(page(ctx, desk, form, &wrong).await?))
}
