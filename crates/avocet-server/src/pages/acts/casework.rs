//! IP events, warrants, exhibits, outcomes and orders.

use avocet_record::law::Right;

use super::{Act, Field, Fill, From, Kind, Of};

const POWERS: From =
    From::Law(|law| law.powers.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());
const OFFENCES: From =
    From::Law(|law| law.offences.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());
const DISPOSALS: From =
    From::Law(|law| law.disposals.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());
const ORDERS: From =
    From::Law(|law| law.orders.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());
const VISITS: From =
    From::Law(|law| law.visits.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());
const ORDER_LINES: From = From::Law(|law| {
    let title = |order: &str| law.orders.row(order).map_or(order.to_owned(), |row| row.value.title.clone());
    let rows = law.order_lines.rows.iter();
    rows.map(|row| (row.id.clone(), format!("{} ({})", row.value.title, title(&row.value.order)))).collect()
});

const KINDS: &str = "Such as phone, laptop, SIM, memory card.";
const NO_NAME: &str = "No person’s name.";

const IP: &[Right] = &[Right::RecordIp];
const WARRANT: &[Right] = &[Right::RecordWarrant];
const EXHIBIT: &[Right] = &[Right::RecordExhibit];
const DISPOSE: &[Right] = &[Right::DisposeExhibit];
const OUTCOME: &[Right] = &[Right::RecordOutcome];
const ORDER: &[Right] = &[Right::RecordOrder];

const fn wrong_entry(path: &'static str, rights: &'static [Right], of: Of, back: &'static str) -> Act {
    Act {
        path,
        rights,
        of,
        fact: "corrected",
        title: "An entry is wrong",
        intro: "The wrong entry stays visible and no longer counts.",
        fields: WRONG,
        fill: Fill::Nothing,
        back,
    }
}

const WRONG: &[Field] = &[
    Field::new("wrong", "Number of the wrong entry", Kind::Number),
    Field::new("reason", "Why it is wrong", Kind::Text).hint(NO_NAME),
];

#[expect(clippy::too_many_arguments, reason = "one line of the table a call")]
const fn act(
    path: &'static str,
    rights: &'static [Right],
    of: Of,
    fact: &'static str,
    title: &'static str,
    intro: &'static str,
    back: &'static str,
    fields: &'static [Field],
) -> Act {
    Act { path, rights, of, fact, title, intro, fields, fill: Fill::Nothing, back }
}

const fn with(mut act: Act, fill: Fill) -> Act {
    act.fill = fill;
    act
}

/// The forms.
pub const ACTS: &[Act] = &[
    // One decision a page: wrong addresses have led to innocent people.
    act(
        "/investigations/{i}/addresses/{thing}/zone",
        IP,
        Of::Thing("ip"),
        "zone_stated",
        "State the time zone",
        "The source’s words stay as they are. The zone is found in the source or asked of it, never guessed.",
        "/addresses",
        &[
            Field::new("zone", "The zone", Kind::Text)
                .hint("An offset such as +01:00, UTC, or a name such as Europe/London."),
            Field::new("reason", "Where that was found", Kind::Text).hint(NO_NAME),
        ],
    ),
    act(
        "/investigations/{i}/addresses/{thing}/applied",
        IP,
        Of::Thing("ip"),
        "applied",
        "An operator was asked",
        "",
        "/addresses",
        &[
            Field::new("reference", "Number of the application", Kind::Text),
            Field::new("authority", "Who authorised it", Kind::Text).hint("A rank or an office; no person’s name."),
            Field::new("operator", "The operator", Kind::Text),
            Field::when(),
        ],
    ),
    with(
        act(
            "/investigations/{i}/addresses/{thing}/answered",
            IP,
            Of::Thing("ip"),
            "answered",
            "The operator answered",
            "Enter what the operator answered for, from its document: it is compared with the source, item by item.",
            "/addresses",
            &[
                Field::new("document", "The operator’s document", Kind::Digest)
                    .hint("Its SHA-256 is recorded; the file itself is not kept here."),
                Field::new("address", "The address that it answers for", Kind::Text).loose(),
                Field::new("time", "The time that it answers for, with its zone", Kind::Text)
                    .loose()
                    .hint("As it stands in the document, such as 2026-11-19 21:15:00 UTC."),
                Field::new("port", "The port that it answers for", Kind::Text).loose().optional(),
                Field::new("subscriber", "Whose it was, in the operator’s words", Kind::PersonalArea).loose(),
                Field::when(),
            ],
        ),
        Fill::Answer,
    ),
    act(
        "/investigations/{i}/addresses/{thing}/confirmed",
        &[Right::ConfirmIp],
        Of::Thing("ip"),
        "confirmed",
        "Confirm it against the source",
        "You are the second person: you entered none of it. Compare each item with the source’s document, not with what stands here. What is not right stays unticked.",
        "/addresses",
        &[
            Field::new("document", "The source’s document that you compared with", Kind::Digest)
                .hint("Its SHA-256 is recorded; the file itself is not kept here."),
            Field::new("address", "The address is the source’s", Kind::Confirm),
            Field::new("port", "The port is the source’s, or the source has none", Kind::Confirm),
            Field::new("time", "The time is the source’s", Kind::Confirm),
            Field::new("zone", "The zone is the source’s", Kind::Confirm),
        ],
    ),
    act(
        "/investigations/{i}/addresses/{thing}/corroborated",
        IP,
        Of::Thing("ip"),
        "corroborated",
        "Something else points to the same place",
        "",
        "/addresses",
        &[
            Field::new("what", "What it is", Kind::PersonalArea),
            Field::new("source", "From where", Kind::Text).hint("Such as council tax; no person’s name."),
        ],
    ),
    act(
        "/investigations/{i}/addresses/{thing}/same",
        IP,
        Of::Thing("ip"),
        "same_activity",
        "It is the same activity as another event",
        "Their answers must agree before a warrant rests on either.",
        "/addresses",
        &[Field::new("other", "The other event", Kind::Pick(From::IpEvents))],
    ),
    act(
        "/investigations/{i}/addresses/{thing}/wrong",
        IP,
        Of::Thing("ip"),
        "found_wrong",
        "It turned out to be wrong",
        "Nothing may rest on it any more.",
        "/addresses",
        &[Field::new("reason", "Why", Kind::Text).hint(NO_NAME)],
    ),
    act(
        "/investigations/{i}/warrants/new",
        WARRANT,
        Of::New("warrant", "W"),
        "drafted",
        "Prepare a warrant",
        "An entry under an urgent power needs none of this: record the exhibits under that power.",
        "/warrants",
        DRAFT,
    ),
    act(
        "/investigations/{i}/warrants/{thing}/drafted",
        WARRANT,
        Of::Thing("warrant"),
        "drafted",
        "Draft it anew",
        "The new draft takes the place of the earlier one. A decision to proceed counts for the draft that it was made on.",
        "/warrants",
        DRAFT,
    ),
    act(
        "/investigations/{i}/warrants/{thing}/proceed",
        &[Right::ProceedUnready],
        Of::Thing("warrant"),
        "proceed",
        "Let it proceed although it is not ready",
        "Read first what is missing. Your decision and your reason stand on the ledger.",
        "/warrants",
        &[Field::new("reason", "Why it proceeds all the same", Kind::Text).hint(NO_NAME)],
    ),
    act(
        "/investigations/{i}/warrants/{thing}/applied",
        WARRANT,
        Of::Thing("warrant"),
        "applied",
        "A court was asked",
        "",
        "/warrants",
        &[Field::new("court", "Which court", Kind::Text), Field::when()],
    ),
    act(
        "/investigations/{i}/warrants/{thing}/issued",
        WARRANT,
        Of::Thing("warrant"),
        "issued",
        "The court issued it",
        "",
        "/warrants",
        &[
            Field::when(),
            Field::new("expires", "Until when it can be executed", Kind::OtherTime).hint("As it states.").optional(),
        ],
    ),
    act(
        "/investigations/{i}/warrants/{thing}/refused",
        WARRANT,
        Of::Thing("warrant"),
        "refused",
        "The court refused it",
        "",
        "/warrants",
        &[Field::when(), Field::new("reason", "Why, as far as said", Kind::Text).hint(NO_NAME)],
    ),
    with(
        act(
            "/investigations/{i}/warrants/{thing}/entered",
            WARRANT,
            Of::Thing("warrant"),
            "entered",
            "It was executed",
            "",
            "/warrants",
            &[
                Field::when(),
                Field::new("premises", "At which of its premises", Kind::Number).hint("1 is the first of the draft."),
                Field::new("result", "What came of it", Kind::Text).hint(NO_NAME),
                Field::new("copy_left", "A copy was left at the premises", Kind::YesNo),
            ],
        ),
        Fill::Officer,
    ),
    act(
        "/investigations/{i}/warrants/{thing}/returned",
        WARRANT,
        Of::Thing("warrant"),
        "returned",
        "It went back to the court",
        "",
        "/warrants",
        &[Field::when()],
    ),
    act(
        "/investigations/{i}/warrants/{thing}/withdrawn",
        WARRANT,
        Of::Thing("warrant"),
        "withdrawn",
        "It is no longer wanted",
        "",
        "/warrants",
        &[Field::new("reason", "Why", Kind::Text).hint(NO_NAME)],
    ),
    with(
        act(
            "/investigations/{i}/exhibits/new",
            EXHIBIT,
            Of::New("exhibit", "E"),
            "taken",
            "Bag and tag: an exhibit was taken",
            "",
            "/exhibits",
            &[
                Field::new("reference", "Its reference", Kind::Text)
                    .hint("Initials and number of who takes it, such as JC/1."),
                Field::new("kind", "What it is", Kind::Text).hint(KINDS),
                Field::new("description", "What it looks like", Kind::Text)
                    .hint("Colour, damage, markings. No person’s name."),
                Field::new("make", "Maker", Kind::Text).optional(),
                Field::new("model", "Model", Kind::Text).optional(),
                Field::new("numbers", "Its numbers, one a line", Kind::Lines)
                    .hint("What it is, a colon, the number: IMEI: 490154203237518")
                    .loose()
                    .optional(),
                Field::new("place", "Where it was found", Kind::Text).hint(NO_NAME),
                Field::when(),
                Field::new(
                    "source",
                    "Under what it was taken",
                    Kind::Choose(From::Words(&[
                        ("warrant", "A warrant"),
                        ("power", "A power without a warrant"),
                        ("agreement", "Somebody agreed"),
                        ("of_parent", "It is a part of another exhibit"),
                    ])),
                )
                .loose(),
                Field::new("warrant", "Which warrant", Kind::Pick(From::Warrants)).loose().optional(),
                Field::new("power", "Which power", Kind::Pick(POWERS)).loose().optional(),
                Field::new(
                    "giver",
                    "Who agreed",
                    Kind::Pick(From::Words(&[
                        ("suspect", "The suspect"),
                        ("volunteer", "A volunteer"),
                        ("victim", "A victim"),
                        ("witness", "A witness"),
                    ])),
                )
                .loose()
                .optional(),
                Field::new("scope", "What they agreed to", Kind::Text)
                    .hint("It is examined only within this. Nothing about a person.")
                    .loose()
                    .optional(),
                Field::new("parent", "The exhibit that it is a part of", Kind::Pick(From::Exhibits)).optional(),
                Field::new("officer", "Who takes it", Kind::Pick(From::Users))
                    .hint("You, where nobody is chosen.")
                    .optional(),
            ],
        ),
        Fill::Taken,
    ),
    with(
        act(
            "/investigations/{i}/exhibits/left",
            EXHIBIT,
            Of::New("exhibit", "E"),
            "excluded",
            "Something was seen and left",
            "What was looked at and left is on the record too, with the reason.",
            "/exhibits",
            &[
                Field::new("kind", "What it is", Kind::Text).hint(KINDS),
                Field::new("description", "What it looks like", Kind::Text).hint(NO_NAME),
                Field::new("place", "Where it was", Kind::Text).hint(NO_NAME),
                Field::new("reason", "Why it was left", Kind::Text).hint(NO_NAME),
                Field::when(),
            ],
        ),
        Fill::Officer,
    ),
    with(
        act(
            "/investigations/{i}/exhibits/{thing}/sealed",
            EXHIBIT,
            Of::Thing("exhibit"),
            "sealed",
            "Seal it",
            "",
            "/exhibits/{thing}",
            &[Field::new("seal", "Number of the seal", Kind::Text), Field::when()],
        ),
        Fill::Officer,
    ),
    with(
        act(
            "/investigations/{i}/exhibits/{thing}/hand-over",
            EXHIBIT,
            Of::Thing("exhibit"),
            "handed_over",
            "Hand it over",
            "It is handed over from whoever has it by the record. The receiver confirms it on this exhibit’s page.",
            "/exhibits/{thing}",
            &[
                Field::new(
                    "to",
                    "To whom or where",
                    Kind::Choose(From::Words(&[
                        ("officer", "Somebody of the team"),
                        ("place", "A store, a shelf, a safe"),
                        ("outside", "A body outside the team"),
                    ])),
                )
                .loose(),
                Field::new("user", "Somebody of the team", Kind::Pick(From::Users)).loose().optional(),
                Field::new("name", "Name of the store or the body", Kind::Text).hint(NO_NAME).loose().optional(),
                Field::when(),
            ],
        ),
        Fill::HandOver,
    ),
    act(
        "/investigations/{i}/exhibits/{thing}/received",
        EXHIBIT,
        Of::Thing("exhibit"),
        "received",
        "Confirm that it was received",
        "",
        "/exhibits/{thing}",
        &[
            Field::new("handover", "Entry of the hand-over", Kind::Number).hint("Its number stands in the continuity."),
            Field::when(),
        ],
    ),
    with(
        act(
            "/investigations/{i}/exhibits/{thing}/opened",
            EXHIBIT,
            Of::Thing("exhibit"),
            "opened",
            "Open the seal",
            "",
            "/exhibits/{thing}",
            &[
                Field::new("seal", "Number of the seal that you found", Kind::Text)
                    .hint("As it stands on the bag, not as it stands here."),
                Field::new("reason", "Why", Kind::Text).hint(NO_NAME),
                Field::when(),
            ],
        ),
        Fill::Officer,
    ),
    with(
        act(
            "/investigations/{i}/exhibits/{thing}/examined",
            EXHIBIT,
            Of::Thing("exhibit"),
            "examined",
            "It was worked on",
            "",
            "/exhibits/{thing}",
            &[
                Field::new("what", "What was done", Kind::Text).hint("Such as imaged, photographed."),
                Field::new("within_scope", "Does it lie within what the giver agreed to?", Kind::YesNo)
                    .hint("Only where it was given by agreement.")
                    .optional(),
                Field::when(),
            ],
        ),
        Fill::Officer,
    ),
    act(
        "/investigations/{i}/exhibits/{thing}/withdrawn",
        EXHIBIT,
        Of::Thing("exhibit"),
        "agreement_withdrawn",
        "The giver no longer agrees",
        "",
        "/exhibits/{thing}",
        &[Field::when()],
    ),
    act(
        "/investigations/{i}/exhibits/{thing}/retained",
        DISPOSE,
        Of::Thing("exhibit"),
        "retained",
        "It is to be kept",
        "",
        "/exhibits/{thing}",
        &[
            Field::new("authority", "Under what authority", Kind::Text).hint(NO_NAME),
            Field::new("review", "When to look at it again", Kind::OtherTime).optional(),
            Field::when(),
        ],
    ),
    with(
        act(
            "/investigations/{i}/exhibits/{thing}/returned",
            DISPOSE,
            Of::Thing("exhibit"),
            "returned",
            "It was given back",
            "",
            "/exhibits/{thing}",
            &[Field::new("note", "To whom", Kind::Personal).optional(), Field::when()],
        ),
        Fill::Officer,
    ),
    act(
        "/investigations/{i}/exhibits/{thing}/destroyed",
        DISPOSE,
        Of::Thing("exhibit"),
        "destroyed",
        "It was destroyed",
        "",
        "/exhibits/{thing}",
        &[
            Field::new("authority", "Under what authority", Kind::Text).hint(NO_NAME),
            Field::new("method", "How", Kind::Text),
            Field::new("witness", "Who watched", Kind::Pick(From::Users)).hint("Another person than you."),
            Field::when(),
        ],
    ),
    wrong_entry("/investigations/{i}/exhibits/{thing}/wrong", EXHIBIT, Of::Thing("exhibit"), "/exhibits/{thing}"),
    act(
        "/investigations/{i}/outcome/new",
        OUTCOME,
        Of::New("outcome", "O"),
        "charged",
        "A charge was decided",
        "",
        "/outcome",
        CHARGE,
    ),
    act(
        "/investigations/{i}/outcome/ended",
        OUTCOME,
        Of::New("outcome", "O"),
        "disposed",
        "It ended without a charge",
        "",
        "/outcome",
        &[
            Field::new("suspect", "For whom", Kind::Pick(From::People)).optional(),
            Field::new("disposal", "How it ended", Kind::Pick(DISPOSALS)),
            Field::new("authority", "Which court or body", Kind::Text).hint(NO_NAME),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/outcome/{thing}/charged",
        OUTCOME,
        Of::Thing("outcome"),
        "charged",
        "A further charge",
        "",
        "/outcome",
        CHARGE,
    ),
    with(
        act(
            "/investigations/{i}/outcome/{thing}/scheduled",
            OUTCOME,
            Of::Thing("outcome"),
            "scheduled",
            "The counts of the schedule to a charge",
            "What votes and moderation have settled stands on the page of the outcome. Whether the user could get at the files, and the days, are for a person to state. A later statement takes the place of an earlier one.",
            "/outcome",
            &[
                Field::new("charge", "To which charge", Kind::Pick(From::Charges)),
                Field::new("counts", "The counts, one line each", Kind::Lines)
                    .hint("Category, still or moving, device, how many, whether the user could get at them (yes, no, unknown), days if stated: A, still, E-1, 12, yes, 2024-01-03..2024-05-01. A hyphen for no category or no device.")
                    .loose(),
            ],
        ),
        Fill::Schedule,
    ),
    act(
        "/investigations/{i}/outcome/{thing}/charge-ended",
        OUTCOME,
        Of::Thing("outcome"),
        "charge_ended",
        "A charge is no longer pursued",
        "",
        "/outcome",
        &[
            Field::new("charge", "Which charge", Kind::Pick(From::Charges)),
            Field::new("reason", "Why", Kind::Text).hint(NO_NAME),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/outcome/{thing}/disposed",
        OUTCOME,
        Of::Thing("outcome"),
        "disposed",
        "How it ended",
        "",
        "/outcome",
        &[
            Field::new("charge", "For which charge", Kind::Pick(From::Charges))
                .hint("None chosen: for all of it.")
                .optional(),
            Field::new("disposal", "How it ended", Kind::Pick(DISPOSALS)),
            Field::new("authority", "Which court or body", Kind::Text).hint(NO_NAME),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/outcome/{thing}/device",
        DISPOSE,
        Of::Thing("outcome"),
        "device_decided",
        "What is to happen to a device",
        "",
        "/outcome",
        &[
            Field::new("exhibit", "Which device", Kind::Pick(From::Exhibits)),
            Field::new(
                "decision",
                "What was decided",
                Kind::Choose(From::Words(&[
                    ("deprive", "It is taken from its owner for good"),
                    ("destroy", "It is to be destroyed"),
                    ("release", "It is to be given back"),
                ])),
            ),
            Field::new("authority", "By which court or under which authority", Kind::Text).hint(NO_NAME),
            Field::new("not_before", "Not before", Kind::OtherTime)
                .hint("Such as the end of the time to appeal.")
                .optional(),
            Field::when(),
        ],
    ),
    wrong_entry("/investigations/{i}/outcome/{thing}/wrong", OUTCOME, Of::Thing("outcome"), "/outcome"),
    with(
        act(
            "/investigations/{i}/orders/new",
            ORDER,
            Of::New("order", "M"),
            "made",
            "An order was made",
            "",
            "/orders",
            &[
                Field::new("kind", "What it is", Kind::Pick(ORDERS)),
                Field::new("subject", "Who is under it", Kind::Pick(From::People)).optional(),
                Field::new("court", "Which court, or what it follows from", Kind::Text).hint(NO_NAME),
                Field::new("until", "When it ends", Kind::OtherTime).hint("Empty: until further order.").optional(),
                Field::new("rows", "Its usual conditions", Kind::Several(ORDER_LINES))
                    .hint("Those of other kinds of order are left out.")
                    .loose()
                    .optional(),
                Field::new("words", "Conditions in its own words, one a line", Kind::Lines)
                    .hint("These are sealed.")
                    .loose()
                    .optional(),
                Field::when(),
            ],
        ),
        Fill::OrderLines,
    ),
    act(
        "/investigations/{i}/orders/{thing}/officer",
        ORDER,
        Of::Thing("order"),
        "officer_named",
        "Who manages the person",
        "",
        "/orders",
        &[Field::new("officer", "Who", Kind::Pick(From::Users))],
    ),
    act(
        "/investigations/{i}/orders/{thing}/level",
        ORDER,
        Of::Thing("order"),
        "level_stated",
        "How often to visit",
        "",
        "/orders",
        &[
            Field::new("level", "The level", Kind::Choose(VISITS)),
            Field::new("reason", "Why", Kind::PersonalArea).optional(),
        ],
    ),
    with(
        act(
            "/investigations/{i}/orders/{thing}/visited",
            ORDER,
            Of::Thing("order"),
            "visited",
            "A visit was made",
            "Only a visit on which the person was seen counts for the next one.",
            "/orders",
            &[
                Field::when(),
                Field::new("announced", "Had it been announced?", Kind::YesNo),
                Field::new(
                    "seen",
                    "Was the person seen?",
                    Kind::Choose(From::Words(&[
                        ("yes", "Yes"),
                        ("not_there", "Nobody was there"),
                        ("refused", "The visit was refused"),
                    ])),
                ),
                Field::new(
                    "line",
                    "What was found of each line",
                    Kind::Each(
                        From::OrderLines,
                        &[("kept", "Kept"), ("broken", "Broken"), ("unclear", "It could not be told")],
                    ),
                )
                .hint("Leave those that were not looked at.")
                .loose()
                .optional(),
                Field::new("note", "Anything else", Kind::PersonalArea).optional(),
            ],
        ),
        Fill::Visit,
    ),
    with(
        act(
            "/investigations/{i}/orders/{thing}/varied",
            ORDER,
            Of::Thing("order"),
            "varied",
            "The order was varied",
            "Lines that stay keep their numbers, and what was found of them.",
            "/orders",
            &[
                Field::new("court", "Which court", Kind::Text).hint(NO_NAME),
                Field::new(
                    "end",
                    "When it ends now",
                    Kind::Choose(From::Words(&[
                        ("before", "As before"),
                        ("until", "At the time below"),
                        ("open", "It stands until further order"),
                    ])),
                )
                .loose(),
                Field::new("until", "The time at which it ends", Kind::OtherTime).loose().optional(),
                Field::new("gone", "Lines that no longer stand", Kind::Several(From::OrderLines)).loose().optional(),
                Field::new("rows", "Usual conditions that are added", Kind::Several(ORDER_LINES))
                    .hint("Those of other kinds of order are left out.")
                    .loose()
                    .optional(),
                Field::new("words", "Conditions that are added in the order’s own words, one a line", Kind::Lines)
                    .hint("These are sealed.")
                    .loose()
                    .optional(),
                Field::when(),
            ],
        ),
        Fill::Varied,
    ),
    act(
        "/investigations/{i}/orders/{thing}/notified",
        ORDER,
        Of::Thing("order"),
        "notified",
        "The person notified something",
        "",
        "/orders",
        &[
            Field::new("line", "The line that requires it", Kind::Pick(From::OrderLines)),
            Field::new("change", "When the change happened", Kind::OtherTime).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/orders/{thing}/breached",
        ORDER,
        Of::Thing("order"),
        "breached",
        "The order was broken",
        "",
        "/orders",
        &[
            Field::new("line", "Which line", Kind::Pick(From::OrderLines)).optional(),
            Field::new("what", "What happened", Kind::PersonalArea),
            Field::new("action", "What was done about it", Kind::Text).hint(NO_NAME),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/orders/{thing}/settled",
        ORDER,
        Of::Thing("order"),
        "breach_settled",
        "What came of a breach",
        "",
        "/orders",
        &[
            Field::new("breach", "Entry of the breach", Kind::Number),
            Field::new("result", "What came of it", Kind::Text).hint(NO_NAME),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/orders/{thing}/ended",
        ORDER,
        Of::Thing("order"),
        "ended",
        "The order ended",
        "",
        "/orders",
        &[
            Field::new("reason", "How", Kind::Text)
                .hint("Expired, discharged, moved to another force. No person’s name."),
            Field::when(),
        ],
    ),
    wrong_entry("/investigations/{i}/orders/{thing}/wrong", ORDER, Of::Thing("order"), "/orders"),
];

const DRAFT: &[Field] = &[
    Field::new("power", "Under which power", Kind::Pick(POWERS)),
    Field::new("grounds", "The grounds", Kind::PersonalArea),
    Field::new("rests_on", "The IP events that the grounds rest on", Kind::Several(From::IpEvents)).optional(),
    Field::new("premises", "The premises, one a line", Kind::PersonalLines)
        .hint("The first line is number 1.")
        .optional(),
];

const CHARGE: &[Field] = &[
    Field::new("suspect", "Against whom", Kind::Pick(From::People)).optional(),
    Field::new("charge", "Its number within this outcome", Kind::Number).hint("The first is 1."),
    Field::new("offence", "The offence", Kind::Pick(OFFENCES)),
    Field::new("decided_by", "Who decided", Kind::Text)
        .hint("Such as the Crown Prosecution Service; no person’s name."),
    Field::when(),
];
