//! Risk: danger now, what was done, the level.

use avocet_record::law::Right;

use super::{Act, Field, Fill, From, Kind, Of};

/// What can be done to make a child safe.
pub const ACTIONS: &[(&str, &str)] = &[
    ("social_care_told", "Children’s social care was told"),
    ("strategy_discussion", "A strategy discussion was held"),
    ("designated_officer_told", "The designated officer was told"),
    ("child_seen", "The child was seen and is safe"),
    ("child_moved", "The child was moved to safety"),
    ("suspect_kept_away", "The suspect was kept away from the child"),
    ("other", "Something else, in the note"),
];

const LEVELS: From =
    From::Law(|law| law.risk_levels.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect());

/// The forms.
pub const ACTS: &[Act] = &[
    Act {
        path: "/investigations/{i}/risk/danger",
        rights: &[Right::RecordSafeguarding],
        of: Of::Risk,
        fact: "danger_stated",
        title: "Say whether a child may be in danger now",
        intro: "Avocet tells nobody. Where a child is in danger now, act first; record it afterwards.",
        fields: &[
            Field::new(
                "danger",
                "May a child be in danger now?",
                Kind::Choose(From::Words(&[
                    ("yes", "Yes, a child may be in danger now"),
                    ("no", "No child is thought to be in danger now"),
                    ("unknown", "I looked, and it cannot be said"),
                ])),
            ),
            Field::new("reason", "What it rests on", Kind::PersonalArea).optional(),
        ],
        fill: Fill::Nothing,
        back: "",
    },
    Act {
        path: "/investigations/{i}/risk/acted",
        rights: &[Right::RecordSafeguarding],
        of: Of::Risk,
        fact: "safeguarding_acted",
        title: "Record what was done for a child",
        intro: "Where the child has a record of its own, begin a line of safeguarding for it instead: that counts, and its clocks run.",
        fields: &[
            Field::new("action", "What was done", Kind::Choose(From::Words(ACTIONS))),
            Field::new("acted", "When it was done", Kind::OtherTime),
            Field::new("body", "With which body", Kind::Text)
                .hint("Such as a council’s name; no person’s name.")
                .optional(),
            Field::new("note", "Anything else", Kind::PersonalArea).optional(),
        ],
        fill: Fill::Nothing,
        back: "",
    },
    Act {
        path: "/investigations/{i}/risk/assessed",
        rights: &[Right::RecordRisk],
        of: Of::Risk,
        fact: "assessed",
        title: "Assess the risk",
        intro: "The level is yours. A tool’s result stands beside it and never takes its place.",
        fields: &[
            Field::new("level", "The level that you set", Kind::Choose(LEVELS)),
            Field::new("tool", "The tool used", Kind::Text)
                .hint("Its name only; Avocet holds none of its questions.")
                .loose()
                .optional(),
            Field::new("version", "Its version", Kind::Text).loose().optional(),
            Field::new("reason", "What the level rests on", Kind::PersonalArea).optional(),
        ],
        fill: Fill::Tool,
        back: "",
    },
    Act {
        path: "/investigations/{i}/risk/overridden",
        rights: &[Right::OverrideRisk],
        of: Of::Risk,
        fact: "overridden",
        title: "Set another level",
        intro: "The assessment stays visible. Both stand on the ledger.",
        fields: &[
            Field::new("level", "The level that now stands", Kind::Choose(LEVELS)),
            Field::new("reason", "Why", Kind::PersonalArea),
        ],
        fill: Fill::Nothing,
        back: "",
    },
];
