//! People, children and their side, safeguarding, arrests and interviews, the suspect's own risk.

use avocet_record::law::Right;

use super::risk::ACTIONS;
use super::{Act, Field, Fill, From, Kind, Of};

const SHARING: From =
    From::Law(|law| law.sharing_powers.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());
const OFFENCES: From =
    From::Law(|law| law.offences.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());
const SERVICES: From =
    From::Law(|law| law.services.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());

const ROLES: From = From::Words(&[
    ("suspect", "Suspect"),
    ("child", "Child"),
    ("parent", "Parent, or who has a parent’s place"),
    ("witness", "Witness"),
    ("other", "Somebody else"),
]);
const LINKS: From = From::Words(&[
    ("household", "Lives in the same household"),
    ("parent_of", "Is a parent of, or has a parent’s place"),
    ("partner_of", "Is the partner of"),
    ("related_to", "Is related to in another way"),
    ("regular_contact", "Is with them regularly"),
    ("supervised_contact", "Is with them only while somebody else is there"),
    ("online_contact", "Is in touch over a network"),
    ("knows", "Knows them in another way"),
]);
const YES: From = From::Words(&[("yes", "Yes"), ("no", "No"), ("unknown", "Asked, and not known")]);
const BODIES: From = From::Words(&[
    ("social_care", "Children’s social care"),
    ("designated_officer", "The designated officer"),
    ("school", "A school or nursery"),
    ("health", "A health service"),
    ("employer", "An employer, a regulator, a club"),
    ("police", "Another force or agency"),
    ("other", "Another body"),
]);

const NO_NAME: &str = "No person’s name.";
const NUMBER: &str = "The first is 1. A number given again takes the earlier one’s place.";

const PERSON: &[Right] = &[Right::RecordPerson, Right::RecordChild];
const NEW_PERSON: &[Right] = &[Right::RecordPerson, Right::RecordChild, Right::RecordSafeguarding];
const CHILD: &[Right] = &[Right::RecordChild];
const SAFEGUARDING: &[Right] = &[Right::RecordSafeguarding];
const LINE: &[Right] = &[Right::RecordSafeguarding, Right::RecordChild, Right::RecordPerson];

const fn act(
    path: &'static str,
    rights: &'static [Right],
    of: Of,
    fact: &'static str,
    title: &'static str,
    back: &'static str,
    fields: &'static [Field],
) -> Act {
    Act { path, rights, of, fact, title, intro: "", fields, fill: Fill::Nothing, back }
}

const fn said(mut act: Act, intro: &'static str) -> Act {
    act.intro = intro;
    act
}

const fn by_officer(mut act: Act) -> Act {
    act.fill = Fill::Officer;
    act
}

const WRONG: &[Field] = &[
    Field::new("wrong", "Number of the wrong entry", Kind::Number),
    Field::new("reason", "Why it is wrong", Kind::Text).hint(NO_NAME),
];

const LINE_BACK: &str = "/safeguarding";
const CHILD_FIELD: Field = Field::new("child", "Number of the child’s record", Kind::Text)
    .hint("Such as P-3. Begin the child’s record first where there is none.")
    .loose();

const SENT: &[Field] = &[
    CHILD_FIELD,
    Field::new("to", "What kind of body", Kind::Pick(BODIES)),
    Field::new("body", "Its name", Kind::Text).hint("Such as a council’s; no person’s name."),
    Field::new("area", "The local authority whose area it is for", Kind::Text).optional(),
    Field::new("how", "How it was told", Kind::Text).hint("By telephone, by form.").optional(),
    Field::new("what", "What was said", Kind::PersonalArea).optional(),
    Field::when(),
];

/// The forms.
pub const ACTS: &[Act] = &[
    said(
        act(
            "/investigations/{i}/people/new",
            NEW_PERSON,
            Of::New("person", "P"),
            "made",
            "Begin a person’s record",
            "/people",
            &[
                Field::new("roles", "As what they are known", Kind::Several(ROLES)),
                Field::new("unidentified", "Nobody can say who it is", Kind::Confirm),
                Field::new("known", "When the team first knew of them", Kind::OtherTime),
            ],
        ),
        "A record is a number. Name and everything else are entered afterwards and are sealed under the person’s own key. Whoever hears of a child begins the child’s record, on the investigation or not.",
    ),
    act(
        "/investigations/{i}/people/{thing}/described",
        PERSON,
        Of::Thing("person"),
        "described",
        "Name, birth, contact",
        "/people/{thing}",
        &[
            Field::new("name", "Name", Kind::Personal).optional(),
            Field::new("born", "When they were born, or about when", Kind::Personal).optional(),
            Field::new("contact", "How they are reached", Kind::PersonalArea).optional(),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
        ],
    ),
    act(
        "/investigations/{i}/people/{thing}/roles",
        PERSON,
        Of::Thing("person"),
        "roles_stated",
        "What they are in this",
        "/people/{thing}",
        &[
            Field::new("roles", "All their roles from now on", Kind::Several(ROLES)),
            Field::new("reason", "Why", Kind::Text).hint(NO_NAME),
        ],
    ),
    act(
        "/investigations/{i}/people/{thing}/address",
        PERSON,
        Of::Thing("person"),
        "address",
        "An address",
        "/people/{thing}",
        &[
            Field::new("address", "Number of the address among theirs", Kind::Number).hint(NUMBER),
            Field::new("text", "The address", Kind::PersonalArea),
            Field::new("area", "The local authority whose area it is in", Kind::Text).optional(),
            Field::new("until", "Until when, where that is over", Kind::OtherTime).optional(),
        ],
    ),
    act(
        "/investigations/{i}/people/{thing}/linked",
        PERSON,
        Of::Thing("person"),
        "linked",
        "What they are to somebody",
        "/people/{thing}",
        &[
            Field::new("other", "To whom", Kind::Pick(From::People)),
            Field::new("link", "What they are to them", Kind::Pick(LINKS)),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
        ],
    ),
    act(
        "/investigations/{i}/people/{thing}/unlinked",
        PERSON,
        Of::Thing("person"),
        "link_ended",
        "That is over, or was never so",
        "/people/{thing}",
        &[
            Field::new("other", "To whom", Kind::Pick(From::People)),
            Field::new("link", "What they were to them", Kind::Pick(LINKS)),
            Field::new("reason", "Why", Kind::Text).hint(NO_NAME),
        ],
    ),
    said(
        act(
            "/investigations/{i}/people/{thing}/work",
            PERSON,
            Of::Thing("person"),
            "work",
            "What they do, paid or not",
            "/people/{thing}",
            &[
                Field::new("work", "Number of it among theirs", Kind::Number).hint(NUMBER),
                Field::new(
                    "kind",
                    "How",
                    Kind::Pick(From::Words(&[
                        ("employment", "Works for an employer"),
                        ("self_employment", "Works for themselves"),
                        ("volunteering", "Does something unpaid"),
                        ("training", "Studies or is being trained"),
                    ])),
                ),
                Field::new("known", "When the team first knew of it", Kind::OtherTime),
                Field::new("with_children", "Do they work with children?", Kind::Choose(YES)),
                Field::new("trust", "Is it a position of trust?", Kind::Choose(YES)),
                Field::new("area", "The local authority in whose area they work", Kind::Text)
                    .hint("Not where they live.")
                    .optional(),
                Field::new("what", "What and for whom", Kind::PersonalArea).optional(),
            ],
        ),
        "Where somebody works with children the designated officer is to be told; the clock for it runs from when that was known.",
    ),
    act(
        "/investigations/{i}/people/{thing}/work-ended",
        PERSON,
        Of::Thing("person"),
        "work_ended",
        "They no longer do it",
        "/people/{thing}",
        &[Field::new("work", "Number of the work", Kind::Number), Field::new("when", "Since when", Kind::OtherTime)],
    ),
    said(
        act(
            "/investigations/{i}/people/{thing}/same",
            PERSON,
            Of::Thing("person"),
            "same_as",
            "Another record is of the same person",
            "/people/{thing}",
            &[
                Field::new("other", "The other record", Kind::Text)
                    .hint("Its number, such as P-7; of this investigation or another."),
                Field::new("reason", "Why", Kind::PersonalArea).optional(),
            ],
        ),
        "Neither record goes away. Joined ones count once.",
    ),
    act(
        "/investigations/{i}/people/{thing}/apart",
        PERSON,
        Of::Thing("person"),
        "not_same_as",
        "Another record is not of the same person after all",
        "/people/{thing}",
        &[
            Field::new("other", "The other record", Kind::Text),
            Field::new("reason", "Why", Kind::PersonalArea).optional(),
        ],
    ),
    act(
        "/investigations/{i}/people/{thing}/wrong",
        PERSON,
        Of::Thing("person"),
        "corrected",
        "An entry about the person is wrong",
        "/people/{thing}",
        WRONG,
    ),
    // Safeguarding: whoever is there, on the investigation or not.
    said(
        act(
            "/investigations/{i}/safeguarding/sent",
            SAFEGUARDING,
            Of::NewLine,
            "sent",
            "A body was told about a child",
            LINE_BACK,
            SENT,
        ),
        "What was only sent never counts as a child made safe: record the answer when it comes.",
    ),
    act(
        "/investigations/{i}/safeguarding/protected",
        SAFEGUARDING,
        Of::NewLine,
        "protected",
        "A child is protected at once",
        LINE_BACK,
        &[
            CHILD_FIELD,
            Field::new(
                "protection",
                "Under what",
                Kind::Choose(From::Words(&[
                    ("police", "Police protection"),
                    ("emergency_order", "A court’s emergency protection order"),
                ])),
            ),
            Field::when(),
            Field::new("until", "Until when, where an order states it", Kind::OtherTime).optional(),
            Field::new("authority", "Who decided, or which court", Kind::Text).hint(NO_NAME).optional(),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
        ],
    ),
    act(
        "/investigations/{i}/safeguarding/acted",
        SAFEGUARDING,
        Of::NewLine,
        "acted",
        "A child was seen, moved or kept away from somebody",
        LINE_BACK,
        &[
            CHILD_FIELD,
            Field::new("action", "What was done", Kind::Choose(From::Words(ACTIONS))),
            Field::when(),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
        ],
    ),
    act(
        "/investigations/{i}/people/{thing}/tell-of-work",
        SAFEGUARDING,
        Of::NewLineOfWork,
        "sent",
        "A body was told about their work",
        LINE_BACK,
        &[
            Field::new("work", "Number of the work", Kind::Number).loose(),
            Field::new("to", "What kind of body", Kind::Pick(BODIES)),
            Field::new("body", "Its name", Kind::Text).hint("Such as a council’s; no person’s name."),
            Field::new("area", "The local authority in whose area they work", Kind::Text).optional(),
            Field::new("how", "How it was told", Kind::Text).optional(),
            Field::new("what", "What was said", Kind::PersonalArea).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/acknowledged",
        LINE,
        Of::Line,
        "acknowledged",
        "The body says that it has it",
        LINE_BACK,
        &[Field::new("reference", "Its reference", Kind::Text).optional(), Field::when()],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/discussed",
        LINE,
        Of::Line,
        "discussed",
        "A strategy discussion was held",
        LINE_BACK,
        &[
            Field::new("bodies", "The bodies that took part, one a line", Kind::Lines).hint(NO_NAME),
            Field::new("decision", "What was decided", Kind::PersonalArea).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/shared",
        LINE,
        Of::Line,
        "shared",
        "Something was shared",
        LINE_BACK,
        &[
            Field::new("with", "With which body", Kind::Text).hint(NO_NAME),
            Field::new("power", "Under what", Kind::Pick(SHARING)),
            Field::new("what", "What", Kind::PersonalArea),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/protection-ended",
        LINE,
        Of::Line,
        "protection_ended",
        "The protection ended",
        LINE_BACK,
        &[Field::new("how", "How", Kind::Text).hint("Another order made, released. No person’s name."), Field::when()],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/target",
        LINE,
        Of::Line,
        "target_set",
        "Set a target date",
        LINE_BACK,
        &[Field::new("due", "To be done by", Kind::OtherTime)],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/reviewed",
        LINE,
        Of::Line,
        "reviewed",
        "It was looked at again",
        LINE_BACK,
        &[Field::new("note", "What was found", Kind::PersonalArea).optional(), Field::when()],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/outcome",
        LINE,
        Of::Line,
        "outcome",
        "What came of it",
        LINE_BACK,
        &[
            Field::new(
                "outcome",
                "What came of it",
                Kind::Choose(From::Words(&[
                    ("made_safe", "The child is safe by what was done"),
                    ("found_safe", "The child was seen and is safe; nothing more was needed"),
                    ("plan", "A plan stands"),
                    ("work_stopped", "The work was ended or suspended"),
                    ("substantiated", "Substantiated, in a matter of work"),
                    ("not_substantiated", "Not substantiated, or unfounded"),
                    ("no_further_action", "No further action by that body"),
                    ("other", "Something else, in the note"),
                ])),
            ),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/closed",
        LINE,
        Of::Line,
        "closed",
        "Close it",
        LINE_BACK,
        &[Field::new("reason", "Why nothing more is to be done", Kind::Text).hint(NO_NAME), Field::when()],
    ),
    act(
        "/investigations/{i}/safeguarding/{line}/wrong",
        LINE,
        Of::Line,
        "corrected",
        "An entry is wrong",
        LINE_BACK,
        WRONG,
    ),
    // Who the child is, and the child's side.
    act(
        "/investigations/{i}/children/{thing}/seen",
        CHILD,
        Of::Child("identification"),
        "seen_in",
        "In which pictures and videos the child is",
        "/people/{thing}",
        &[Field::new("media", "Their SHA-256, one a line", Kind::Lines)
            .hint("Where a picture is on the review screen, V marks it instead.")],
    ),
    act(
        "/investigations/{i}/children/{thing}/lead",
        CHILD,
        Of::Child("identification"),
        "lead",
        "A lead to who the child is",
        "/people/{thing}",
        &[
            Field::new("lead", "Number of the lead", Kind::Number).hint(NUMBER),
            Field::new(
                "kind",
                "What it goes by",
                Kind::Pick(From::Words(&[
                    ("series", "Media that belong together"),
                    ("camera_serial", "A camera’s or telephone’s own number"),
                    ("place", "Something that shows where"),
                    ("time", "Something that shows when"),
                    ("seen_before", "Seen in another case"),
                    ("identifier", "An account, an address, a name"),
                    ("other", "Something else, in the note"),
                ])),
            ),
            Field::new(
                "strength",
                "How far it carries",
                Kind::Choose(From::Words(&[
                    ("weak", "Worth a look; often wrong"),
                    ("moderate", "Fits, and something else would fit too"),
                    ("strong", "Little else would fit; not proof"),
                ])),
            ),
            Field::new("media", "SHA-256 of the picture or video that it comes from", Kind::Text).optional(),
            Field::new("seen_in", "The investigation in which it was seen before", Kind::Text)
                .hint("Its number, such as I-7.")
                .optional(),
            Field::new("note", "What it is", Kind::PersonalArea).optional(),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/lead-ended",
        CHILD,
        Of::Child("identification"),
        "lead_ended",
        "A lead was followed to its end",
        "/people/{thing}",
        &[
            Field::new("lead", "Number of the lead", Kind::Number),
            Field::new("held", "Did it lead on?", Kind::YesNo),
            Field::new("reason", "What was found", Kind::Text).hint(NO_NAME),
        ],
    ),
    said(
        act(
            "/investigations/{i}/children/{thing}/reached",
            CHILD,
            Of::Child("identification"),
            "reached",
            "How far it is with who and where the child is",
            "/people/{thing}",
            &[
                Field::new(
                    "step",
                    "How far it is",
                    Kind::Choose(From::Words(&[
                        ("unidentified", "Nobody knows who the child is"),
                        ("lead", "There is something to go by"),
                        ("identified", "It is known who the child is"),
                        ("located", "It is known where the child is"),
                        ("safeguarded", "The child is safe"),
                    ])),
                ),
                Field::new("leads", "Numbers of the leads that it rests on, one a line", Kind::Numbers).optional(),
                Field::new("media", "SHA-256 of the pictures and videos that it rests on, one a line", Kind::Lines)
                    .optional(),
                Field::new("note", "What it rests on besides", Kind::PersonalArea),
                Field::when(),
            ],
        ),
        "A lead is never proof: say what else it rests on.",
    ),
    said(
        act(
            "/investigations/{i}/children/{thing}/uploaded",
            CHILD,
            Of::Child("identification"),
            "uploaded",
            "Given to a system that others search",
            "/people/{thing}",
            &[
                Field::new(
                    "reach",
                    "How far it reaches",
                    Kind::Choose(From::Words(&[("national", "The country"), ("international", "Several countries")])),
                ),
                Field::new("system", "Its name", Kind::Text),
                Field::new("reference", "Its reference", Kind::Text).optional(),
                Field::new("media", "SHA-256 of the pictures and videos that were given, one a line", Kind::Lines)
                    .optional(),
                Field::when(),
            ],
        ),
        "Avocet sends nothing: this notes that you did.",
    ),
    act(
        "/investigations/{i}/children/{thing}/rested",
        CHILD,
        Of::Child("identification"),
        "rested",
        "Work on who the child is rests",
        "/people/{thing}",
        &[
            Field::new("reason", "Why", Kind::Text).hint(NO_NAME),
            Field::new("see", "The record in which it goes on", Kind::Pick(From::Children)).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/wishes",
        CHILD,
        Of::Child("care"),
        "wishes",
        "What the child wants",
        "/people/{thing}",
        &[Field::new("wishes", "As far as possible in the child’s own words", Kind::PersonalArea), Field::when()],
    ),
    act(
        "/investigations/{i}/children/{thing}/offer",
        CHILD,
        Of::Child("care"),
        "support_offered",
        "Help was offered",
        "/people/{thing}",
        &[
            Field::new("offer", "Number of the offer", Kind::Number).hint("The first is 1."),
            Field::new("service", "Which service", Kind::Text).hint(NO_NAME),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/answered",
        CHILD,
        Of::Child("care"),
        "support_answered",
        "The offer was answered",
        "/people/{thing}",
        &[
            Field::new("offer", "Number of the offer", Kind::Number),
            Field::new("taken_up", "Is it taken up?", Kind::YesNo),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/to-tell",
        CHILD,
        Of::Child("care"),
        "to_tell",
        "Something happened that the child or family is to be told",
        "/people/{thing}",
        &[
            Field::new("news", "Number of the news", Kind::Number).hint("The first is 1."),
            Field::new(
                "about",
                "What",
                Kind::Pick(From::Words(&[
                    ("rights", "That the offence is recorded, and what the rights are"),
                    ("arrest", "That somebody was arrested or interviewed"),
                    ("release", "That somebody was released"),
                    ("decision", "That somebody is to be charged or not"),
                    ("hearing", "When and where a court sits"),
                    ("result", "What the court decided"),
                    ("other", "Something else"),
                ])),
            ),
            Field::new("when", "When it happened", Kind::OtherTime),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/told",
        CHILD,
        Of::Child("care"),
        "told",
        "They were told",
        "/people/{thing}",
        &[
            Field::new("news", "Number of the news", Kind::Number),
            Field::new("whom", "Whom, and how", Kind::PersonalArea).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/not-to-tell",
        CHILD,
        Of::Child("care"),
        "not_to_tell",
        "They are not to be told that",
        "/people/{thing}",
        &[
            Field::new("news", "Number of the news", Kind::Number),
            Field::new("reason", "Why", Kind::Text).hint(NO_NAME),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/plan-interview",
        CHILD,
        Of::Child("care"),
        "interview_planned",
        "The child is to be heard",
        "/people/{thing}",
        &[
            Field::new("when", "When", Kind::OtherTime),
            Field::new("note", "Anything else, such as who is to be there", Kind::PersonalArea).optional(),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/interviewed",
        CHILD,
        Of::Child("care"),
        "interviewed",
        "The child was heard, or did not want to be",
        "/people/{thing}",
        &[
            Field::new(
                "kind",
                "How",
                Kind::Choose(From::Words(&[
                    ("video_recorded", "Recorded on video"),
                    ("written", "Written down"),
                    ("declined", "The child did not want to be heard"),
                ])),
            ),
            Field::new("reference", "Reference of the recording", Kind::Text).hint(NO_NAME).optional(),
            Field::when(),
        ],
    ),
    said(
        act(
            "/investigations/{i}/children/{thing}/measure",
            CHILD,
            Of::Child("care"),
            "measure",
            "A special measure at court",
            "/people/{thing}",
            &[
                Field::new("measure", "Which", Kind::Text)
                    .hint("A screen, a live link, a recorded interview, an intermediary. No person’s name."),
                Field::new(
                    "answer",
                    "Where it stands",
                    Kind::Choose(From::Words(&[
                        ("asked", "It was asked for; there is no answer yet"),
                        ("granted", "It was granted"),
                        ("refused", "It was refused"),
                        ("not_wanted", "The child does not want it"),
                    ])),
                ),
                Field::when(),
            ],
        ),
        "Stated again under the same words it takes the earlier answer’s place.",
    ),
    act(
        "/investigations/{i}/children/{thing}/statement",
        CHILD,
        Of::Child("care"),
        "statement",
        "The personal statement",
        "/people/{thing}",
        &[
            Field::new(
                "stage",
                "Where it stands",
                Kind::Choose(From::Words(&[
                    ("offered", "It was offered"),
                    ("made", "It was made"),
                    ("added_to", "It was added to"),
                    ("declined", "It is not wanted"),
                ])),
            ),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/children/{thing}/wrong-identity",
        CHILD,
        Of::Child("identification"),
        "corrected",
        "An entry about who the child is is wrong",
        "/people/{thing}",
        WRONG,
    ),
    act(
        "/investigations/{i}/children/{thing}/wrong-side",
        CHILD,
        Of::Child("care"),
        "corrected",
        "An entry about the child’s side is wrong",
        "/people/{thing}",
        WRONG,
    ),
    // Arrests and interviews of suspects.
    by_officer(act(
        "/investigations/{i}/people/{thing}/arrested",
        PERSON,
        Of::NewCustody,
        "arrested",
        "The suspect was arrested",
        "/people",
        &[
            Field::new("offences", "For what", Kind::Several(OFFENCES)),
            Field::new("reference", "Reference of the custody record", Kind::Text).optional(),
            Field::new("warrant", "The warrant that was being executed", Kind::Pick(From::Warrants)).optional(),
            Field::when(),
        ],
    )),
    by_officer(act(
        "/investigations/{i}/people/{thing}/attended",
        PERSON,
        Of::NewCustody,
        "attended",
        "The suspect came to a voluntary interview",
        "/people",
        &[
            Field::new("offences", "About what", Kind::Several(OFFENCES)),
            Field::new("reference", "Its reference", Kind::Text).optional(),
            Field::when(),
        ],
    )),
    act(
        "/investigations/{i}/custody/{thing}/arrived",
        PERSON,
        Of::Custody,
        "arrived",
        "Arrived at the station",
        "/people",
        &[
            Field::new("place", "Which station", Kind::Text),
            Field::new("reference", "Reference of the custody record", Kind::Text).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/custody/{thing}/extended",
        PERSON,
        Of::Custody,
        "extended",
        "Detention may last longer",
        "/people",
        &[
            Field::new("until", "Until when", Kind::OtherTime),
            Field::new("authority", "Who authorised it", Kind::Text).hint("A rank or a court; no person’s name."),
        ],
    ),
    act(
        "/investigations/{i}/custody/{thing}/interviewed",
        PERSON,
        Of::Custody,
        "interviewed",
        "The suspect was interviewed",
        "/people",
        &[Field::new("reference", "Reference of the recording", Kind::Text).optional(), Field::when()],
    ),
    act(
        "/investigations/{i}/custody/{thing}/bailed",
        PERSON,
        Of::Custody,
        "bailed",
        "Released on bail, or the bail goes on",
        "/people",
        &[
            Field::new("until", "Until when", Kind::OtherTime),
            Field::new("conditions", "Under what conditions", Kind::PersonalArea).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/custody/{thing}/released",
        PERSON,
        Of::Custody,
        "under_investigation",
        "Released under investigation",
        "/people",
        &[Field::when()],
    ),
    act(
        "/investigations/{i}/custody/{thing}/ended",
        PERSON,
        Of::Custody,
        "ended",
        "It ended",
        "/people",
        &[
            Field::new(
                "how",
                "How",
                Kind::Choose(From::Words(&[
                    ("charged", "Charged"),
                    ("no_further_action", "No further action"),
                    ("summons", "Reported for a summons or requisition"),
                    ("out_of_court", "Ended without a charge at court, such as a caution"),
                    ("other", "Another way, in the reason"),
                ])),
            ),
            Field::new("reason", "Why", Kind::Text).hint(NO_NAME).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/custody/{thing}/wrong",
        PERSON,
        Of::Custody,
        "corrected",
        "An entry is wrong",
        "/people",
        WRONG,
    ),
    // The suspect's own risk of death.
    said(
        act(
            "/investigations/{i}/welfare/{thing}/assessed",
            PERSON,
            Of::Welfare,
            "assessed",
            "Assess the person’s own risk",
            "/people/{thing}",
            &[
                Field::new(
                    "stage",
                    "At which point",
                    Kind::Choose(From::Words(&[
                        ("before_contact", "Before the police come, or a voluntary interview"),
                        ("after_contact", "When the contact ends"),
                        ("follow_up", "Within the first hours and days after it"),
                        ("trigger", "At a date on which the risk rises"),
                    ])),
                ),
                Field::new("level", "The result, in the force’s own words", Kind::Text)
                    .hint("Such as high; nothing about the person."),
                Field::new("custody", "The arrest or interview that it belongs to", Kind::Pick(From::Custody))
                    .optional(),
                Field::new("trigger", "Number of the date that it belongs to", Kind::Number).optional(),
                Field::new("note", "What it rests on", Kind::PersonalArea).optional(),
                Field::when(),
            ],
        ),
        "People under investigation for these offences have a high risk of suicide, most of all in the first days.",
    ),
    act(
        "/investigations/{i}/welfare/{thing}/trigger",
        PERSON,
        Of::Welfare,
        "trigger_set",
        "A date on which the risk rises",
        "/people/{thing}",
        &[
            Field::new("trigger", "Number of the date", Kind::Number).hint(NUMBER),
            Field::new(
                "kind",
                "What",
                Kind::Choose(From::Words(&[
                    ("charge", "A charge"),
                    ("court", "A court date"),
                    ("other", "Something else"),
                ])),
            ),
            Field::new("date", "When", Kind::OtherTime),
        ],
    ),
    act(
        "/investigations/{i}/welfare/{thing}/leaflet",
        PERSON,
        Of::Welfare,
        "leaflet_given",
        "A leaflet was given",
        "/people/{thing}",
        &[
            Field::new(
                "leaflet",
                "Which",
                Kind::Choose(From::Words(&[
                    ("suspect", "For the suspect"),
                    ("family", "For the family"),
                    ("parent", "For a parent"),
                ])),
            ),
            Field::new("custody", "At which arrest or interview", Kind::Pick(From::Custody)).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/welfare/{thing}/help",
        PERSON,
        Of::Welfare,
        "sign_posted",
        "Help was pointed out",
        "/people/{thing}",
        &[Field::new("service", "Which", Kind::Pick(SERVICES)), Field::when()],
    ),
    act(
        "/investigations/{i}/welfare/{thing}/phone",
        PERSON,
        Of::Welfare,
        "phone_offered",
        "A telephone was offered in place of the one taken",
        "/people/{thing}",
        &[
            Field::new("taken", "Was it taken?", Kind::YesNo),
            Field::new("custody", "At which arrest or interview", Kind::Pick(From::Custody)).optional(),
            Field::when(),
        ],
    ),
    act(
        "/investigations/{i}/welfare/{thing}/to-do",
        PERSON,
        Of::Welfare,
        "to_do",
        "Something is to be done",
        "/people/{thing}",
        &[
            Field::new("item", "Number among the person’s", Kind::Number).hint("The first is 1."),
            Field::new("what", "What", Kind::PersonalArea),
            Field::new("due", "By when", Kind::OtherTime),
        ],
    ),
    act(
        "/investigations/{i}/welfare/{thing}/done",
        PERSON,
        Of::Welfare,
        "item_done",
        "It was done, or is no longer needed",
        "/people/{thing}",
        &[Field::new("item", "Which number", Kind::Number), Field::when()],
    ),
    act(
        "/investigations/{i}/welfare/{thing}/wrong",
        PERSON,
        Of::Welfare,
        "corrected",
        "An entry about the person’s welfare is wrong",
        "/people/{thing}",
        WRONG,
    ),
];
