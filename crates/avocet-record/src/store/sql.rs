//! Every statement that runs, in one text for both databases. A test prepares each on both.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*

        /// Every statement with its name.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// The beginning and the end of the questions for the next contents.
macro_rules! next {
    () => {
        "SELECT r.sha256, r.reason, m.outcome, r.said, r.found FROM review r \
         LEFT JOIN media m ON m.investigation = r.investigation AND m.sha256 = r.sha256 \
         LEFT JOIN lease l ON l.sha256 = r.sha256 WHERE r.investigation = $1 AND r.todo = $2 \
         AND (l.account IS NULL OR l.account = $3 OR l.ends <= $4) \
         AND ($6 = 1) = EXISTS (SELECT 1 FROM passed p WHERE p.account = $3 AND p.sha256 = r.sha256)"
    };
}
macro_rules! next_order {
    () => {
        " ORDER BY r.reason, r.stack, r.within, r.sha256 LIMIT $7"
    };
}

statements! {
    META = "SELECT value FROM meta WHERE name = $1";
    SET_META = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    LAST_ENTRY = "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1";
    ADD_ENTRY = "INSERT INTO ledger (seq, at, actor, kind, subjects, content, previous, hash) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    ADD_CONTENT = "INSERT INTO content (seq, salt, body) VALUES ($1, $2, $3)";
    ADD_TOUCHED = "INSERT INTO touched (subject, seq) VALUES ($1, $2) ON CONFLICT (subject, seq) DO NOTHING";
    ENTRY_HASH = "SELECT hash FROM ledger WHERE seq = $1";
    /// In the order stored, a page at a time. `content` may be missing where somebody deleted it.
    ENTRIES = "SELECT l.seq, l.at, l.actor, l.kind, l.subjects, l.content, l.previous, l.hash, c.salt, c.body \
               FROM ledger l LEFT JOIN content c ON c.seq = l.seq WHERE l.seq > $1 ORDER BY l.seq LIMIT $2";
    STRAYS = "SELECT c.seq FROM content c LEFT JOIN ledger l ON l.seq = c.seq WHERE l.seq IS NULL ORDER BY c.seq LIMIT 1000";
    FACTS = "SELECT l.seq, l.at, l.actor, c.body FROM touched t JOIN ledger l ON l.seq = t.seq \
             JOIN content c ON c.seq = t.seq WHERE t.subject = $1 ORDER BY t.seq";
    FACTS_OF_KIND = "SELECT l.seq, l.at, l.actor, c.body FROM touched t JOIN ledger l ON l.seq = t.seq \
                     JOIN content c ON c.seq = t.seq WHERE t.subject = $1 AND l.kind = $2 ORDER BY t.seq";
    FACTS_AFTER = "SELECT l.seq, l.at, l.actor, c.body FROM ledger l JOIN content c ON c.seq = l.seq \
                   WHERE l.seq > $1 ORDER BY l.seq LIMIT 1000";
    FIRST_ENTRY_AFTER = "SELECT seq FROM ledger WHERE at > $1 ORDER BY seq LIMIT 1";
    /// Of everything but keys and looks: what figures are counted from.
    FACTS_TO_COUNT = "SELECT l.seq, l.at, l.actor, c.body FROM ledger l JOIN content c ON c.seq = l.seq \
                      WHERE l.seq > $1 AND l.seq <= $2 AND l.kind NOT IN ('key-made', 'key-destroyed', 'viewed', \
                      'searched', 'exported', 'printed', 'disclosed', 'password-set', 'sign-in-failed') \
                      ORDER BY l.seq LIMIT 2000";
    LAST_TOUCH = "SELECT l.seq, l.actor FROM touched t JOIN ledger l ON l.seq = t.seq \
                  WHERE t.subject = $1 AND l.kind NOT IN ('viewed', 'searched', 'exported', 'printed', 'disclosed') \
                  ORDER BY t.seq DESC LIMIT 1";
    GIVE = "INSERT INTO given (prefix, last) VALUES ($1, 1) ON CONFLICT (prefix) DO UPDATE SET last = given.last + 1 \
            RETURNING last";
    ADD_KEY = "INSERT INTO person_key (id, holder, wrapped, destroyed) VALUES ($1, $2, $3, NULL)";
    KEY = "SELECT wrapped FROM person_key WHERE id = $1";
    LIVE_KEY = "SELECT holder FROM person_key WHERE id = $1 AND wrapped IS NOT NULL";
    LEDGER_PAGE = "SELECT seq, at, actor, kind, subjects FROM ledger WHERE seq > $1 ORDER BY seq LIMIT $2";
    KEYS_OF = "SELECT id FROM person_key WHERE holder = $1 ORDER BY id";
    DESTROY_KEY = "UPDATE person_key SET wrapped = NULL, destroyed = $2 WHERE id = $1";
    SECRET = "SELECT value FROM secret WHERE name = $1";
    SET_SECRET = "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    DELETE_SECRET = "DELETE FROM secret WHERE name = $1";
    ADD_DOCUMENT = "INSERT INTO document (id, body) VALUES ($1, $2)";
    KEEP_DOCUMENT = "INSERT INTO document (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    DOCUMENT = "SELECT body FROM document WHERE id = $1";
    HAS_DOCUMENT = "SELECT 1 FROM document WHERE id = $1";
    ADD_ACCOUNT = "INSERT INTO account (id, login, roles, active) VALUES ($1, $2, $3, 1)";
    SET_ROLES = "UPDATE account SET roles = $2 WHERE id = $1";
    CLOSE_ACCOUNT = "UPDATE account SET active = 0 WHERE id = $1";
    ACCOUNT_BY_LOGIN = "SELECT id, login, roles, active FROM account WHERE login = $1";
    ACCOUNTS = "SELECT id, login, roles, active FROM account ORDER BY id";
    ADD_MEMBER = "INSERT INTO member (investigation, account) VALUES ($1, $2) ON CONFLICT (investigation, account) DO NOTHING";
    REMOVE_MEMBER = "DELETE FROM member WHERE investigation = $1 AND account = $2";
    IS_MEMBER = "SELECT 1 FROM member WHERE investigation = $1 AND account = $2";
    ADD_INVESTIGATION = "INSERT INTO investigation (id, owner, received, open, item) VALUES ($1, $2, $3, 1, $4)";
    INVESTIGATION = "SELECT id, owner, received, open, item FROM investigation WHERE id = $1";
    SET_ITEM = "UPDATE investigation SET item = $2, open = $3 WHERE id = $1";
    /// All of them in one text, a line each: ten thousand rows cost more in being handed over than in being read.
    OPEN_INVESTIGATIONS = "SELECT string_agg(id || ' ' || owner || ' ' || CAST(received AS TEXT) || ' ' || item, $1) \
                           FROM investigation WHERE open = 1";
    /// As of which entry the rows of investigations are, and when they were last made anew.
    ROWS_AS_OF = "SELECT (SELECT max(seq) FROM ledger), (SELECT value FROM meta WHERE name = 'rebuilt')";
    SUBJECTS_AFTER = "SELECT subjects FROM ledger WHERE seq > $1";
    ADD_REFERRAL = "INSERT INTO referral (id, source, received, flags, fields, problems) VALUES ($1, $2, $3, $4, $5, $6)";
    REFERRAL = "SELECT r.id, r.source, r.received, r.flags, r.fields, r.problems, p.investigation FROM referral r \
                LEFT JOIN part_of p ON p.subject = r.id WHERE r.id = $1";
    REFERRALS = "SELECT r.id, r.source, r.received, r.flags, r.fields, r.problems, p.investigation FROM referral r \
                 LEFT JOIN part_of p ON p.subject = r.id ORDER BY r.received, r.id";
    ADD_IDENTIFIER = "INSERT INTO identifier (token, subject, kind, key_id) VALUES ($1, $2, $3, $4) \
                      ON CONFLICT (token, subject) DO NOTHING";
    FORGET_IDENTIFIERS = "DELETE FROM identifier WHERE key_id = $1";
    SUBJECTS_OF_TOKEN = "SELECT subject FROM identifier WHERE token = $1 ORDER BY subject";
    /// The same token in another record, with the investigation and the owner of that record.
    SAME_TOKEN = "SELECT b.subject, b.kind, p.investigation, i.owner, count(*) FROM identifier a \
                  JOIN identifier b ON b.token = a.token AND b.subject <> a.subject \
                  LEFT JOIN part_of p ON p.subject = b.subject LEFT JOIN investigation i ON i.id = p.investigation \
                  WHERE a.subject = $1 GROUP BY b.subject, b.kind, p.investigation, i.owner ORDER BY b.subject, b.kind";
    PARTS = "SELECT subject FROM part_of WHERE investigation = $1 ORDER BY subject";
    /// How many contents of an investigation another one has too.
    SAME_MEDIA = "SELECT b.investigation, i.owner, count(*) FROM media a JOIN media b ON b.sha256 = a.sha256 \
                  AND b.investigation <> a.investigation JOIN investigation i ON i.id = b.investigation \
                  WHERE a.investigation = $1 GROUP BY b.investigation, i.owner ORDER BY b.investigation";
    SET_PART_OF = "INSERT INTO part_of (subject, investigation) VALUES ($1, $2) \
                   ON CONFLICT (subject) DO UPDATE SET investigation = excluded.investigation";
    PART_OF = "SELECT investigation FROM part_of WHERE subject = $1";
    PLACES = "SELECT examination, exhibit, files FROM media_place WHERE sha256 = $1 ORDER BY examination";
    PLACE_IN = "SELECT exhibit FROM media_place WHERE sha256 = $1 AND examination = $2";
    MEDIA = "SELECT investigation, sha256, kind, places, exhibits, outcome FROM media \
             WHERE investigation = $1 AND sha256 = $2";
    SET_OUTCOME = "UPDATE media SET outcome = $3 WHERE investigation = $1 AND sha256 = $2";
    MEDIA_WITH = "SELECT sha256, kind, places, exhibits, outcome FROM media \
                  WHERE investigation = $1 AND outcome = $2 AND sha256 > $3 ORDER BY sha256 LIMIT $4";
    MEMBERSHIPS = "SELECT investigation FROM member WHERE account = $1";
    MEDIA_IN = "SELECT investigation FROM media WHERE sha256 = $1 ORDER BY investigation";
    ALL_MEDIA = "SELECT sha256 FROM media WHERE investigation = $1 ORDER BY sha256";
    TAKE_BACK = "UPDATE media SET places = places - (SELECT files FROM media_place p WHERE p.sha256 = media.sha256 \
                 AND p.examination = $2), exhibits = exhibits - 1 WHERE investigation = $1 AND sha256 IN \
                 (SELECT sha256 FROM media_place WHERE examination = $2)";
    REMOVE_PLACES = "DELETE FROM media_place WHERE examination = $1";
    REMOVE_GONE = "DELETE FROM media WHERE investigation = $1 AND exhibits <= 0";
    COUNT_OUTCOMES = "SELECT kind, outcome, count(*) FROM media WHERE investigation = $1 GROUP BY kind, outcome";
    /// Settled contents of an investigation by category, kind and exhibit.
    COUNT_SETTLED = "SELECT m.outcome, m.kind, p.exhibit, count(DISTINCT m.sha256) FROM media m \
                     JOIN media_place p ON p.sha256 = m.sha256 \
                     JOIN part_of q ON q.subject = p.examination AND q.investigation = m.investigation \
                     WHERE m.investigation = $1 AND (m.outcome LIKE 'decided %' OR m.outcome LIKE 'moderated %') \
                     GROUP BY m.outcome, m.kind, p.exhibit ORDER BY m.outcome, m.kind, p.exhibit";
    FORGET_TOTALS = "DELETE FROM total WHERE subject = $1";
    EXAMINATION_WITH = "SELECT l.subjects FROM touched t JOIN ledger l ON l.seq = t.seq \
                        WHERE t.subject = $1 AND l.kind = 'examination-attached' ORDER BY l.seq LIMIT 1";
    ADD_TO_TOTAL = "INSERT INTO total (subject, what, n) VALUES ($1, $2, $3) \
                    ON CONFLICT (subject, what) DO UPDATE SET n = total.n + excluded.n";
    TOTALS = "SELECT what, n FROM total WHERE subject = $1 ORDER BY what";
    ATTACHED_MEDIA = "SELECT sha256, outcome FROM media WHERE investigation = $1 ORDER BY sha256";
    /// Contents of an investigation that another one has too.
    SHARED_MEDIA = "SELECT DISTINCT a.sha256 FROM media a JOIN media b ON b.sha256 = a.sha256 \
                    AND b.investigation <> a.investigation WHERE a.investigation = $1";
    /// Tokens of the devices of an investigation.
    DEVICE_TOKENS = "SELECT DISTINCT i.token FROM part_of p JOIN identifier i ON i.subject = p.subject \
                     WHERE p.investigation = $1 AND i.kind = 'device' AND p.subject LIKE 'E-%'";
    FORGET_REVIEW = "DELETE FROM review WHERE investigation = $1";
    COUNT_REVIEW = "SELECT todo, reason, count(*) FROM review WHERE investigation = $1 GROUP BY todo, reason";
    /// What other investigations had alone until this one has it too.
    COUNT_NO_LONGER_ALONE = "SELECT investigation, todo, count(*) FROM review WHERE reason = 2 AND investigation <> $1 \
                             AND sha256 IN (SELECT sha256 FROM media WHERE investigation = $1) \
                             GROUP BY investigation, todo ORDER BY investigation, todo";
    NO_LONGER_ALONE = "UPDATE review SET reason = 3 WHERE reason = 2 AND investigation <> $1 \
                       AND sha256 IN (SELECT sha256 FROM media WHERE investigation = $1)";
    REVIEW = "SELECT todo, reason, said, grp, found FROM review WHERE investigation = $1 AND sha256 = $2";
    REVIEW_ROWS = "SELECT r.sha256, r.reason, m.outcome, r.said, r.found FROM review r LEFT JOIN media m \
                   ON m.investigation = r.investigation AND m.sha256 = r.sha256 WHERE r.investigation = $1 ORDER BY r.sha256";
    SET_TODO = "UPDATE review SET todo = $3 WHERE investigation = $1 AND sha256 = $2";
    ANY_TO_GRADE = "SELECT 1 FROM review WHERE investigation = $1 AND todo = 1 AND reason = $2 LIMIT 1";
    /// The next contents to grade for somebody: nobody else has them before them, and the person's own vote in the scheme
    /// does not stand on them. `$6` = 1 asks for those that the person passed over.
    NEXT_TO_GRADE = concat!(next!(), " AND NOT EXISTS (SELECT 1 FROM voter v WHERE v.sha256 = r.sha256 AND v.account = $3 \
                    AND v.scheme = $5 AND v.standing <> 'withdrawn')", next_order!());
    /// The same for second views: of what the person never voted on, in any scheme.
    NEXT_TO_VIEW = concat!(next!(), " AND NOT EXISTS (SELECT 1 FROM voter v WHERE v.sha256 = r.sha256 AND v.account = $3 \
                    AND v.scheme <> $5)", next_order!());
    /// The same for moderation: of what the person never voted on but as a moderator.
    NEXT_TO_MODERATE = concat!(next!(), " AND NOT EXISTS (SELECT 1 FROM voter v WHERE v.sha256 = r.sha256 AND v.account = $3 \
                    AND v.standing <> $5)", next_order!());
    GROUP_OF = "SELECT r.sha256, r.todo, r.reason, m.outcome, r.said, r.found, l.account, s.how FROM review r \
                JOIN media m ON m.investigation = r.investigation AND m.sha256 = r.sha256 \
                LEFT JOIN lease l ON l.sha256 = r.sha256 AND l.ends > $4 \
                LEFT JOIN shown s ON s.sha256 = r.sha256 AND s.account = $3 AND s.how = 'veiled' \
                WHERE r.investigation = $1 AND r.grp = $2 ORDER BY r.stack, r.within, r.sha256";
    NOT_SHOWN = "SELECT count(*) FROM review r WHERE r.investigation = $1 AND r.grp = $2 AND NOT EXISTS \
                 (SELECT 1 FROM shown s WHERE s.account = $3 AND s.sha256 = r.sha256)";
    END_LEASES = "DELETE FROM lease WHERE ends <= $1";
    TAKE_LEASE = "INSERT INTO lease (sha256, investigation, account, todo, ends) VALUES ($1, $2, $3, $4, $5) \
                  ON CONFLICT (sha256) DO UPDATE SET ends = excluded.ends, todo = excluded.todo, \
                  investigation = excluded.investigation WHERE lease.account = excluded.account";
    LEASE = "SELECT account, todo, ends FROM lease WHERE sha256 = $1";
    FREE_LEASE = "DELETE FROM lease WHERE sha256 = $1 AND account = $2";
    FREE_LEASES = "DELETE FROM lease WHERE account = $1 AND investigation = $2";
    COUNT_LEASES = "SELECT account, count(*) FROM lease WHERE investigation = $1 AND ends > $2 GROUP BY account";
    PASS = "INSERT INTO passed (account, sha256, at) VALUES ($1, $2, $3) ON CONFLICT (account, sha256) DO NOTHING";
    UNPASS = "DELETE FROM passed WHERE account = $1 AND sha256 = $2";
    COUNT_PASSED = "SELECT count(*) FROM passed p JOIN review r ON r.sha256 = p.sha256 WHERE p.account = $1 \
                    AND r.investigation = $2 AND r.todo <> 0";
    SET_VOTER = "INSERT INTO voter (sha256, account, scheme, investigation, vote, standing, grp) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (sha256, account, scheme) DO UPDATE SET \
                 investigation = excluded.investigation, vote = excluded.vote, standing = excluded.standing, \
                 grp = excluded.grp";
    WITHDRAW_VOTER = "UPDATE voter SET standing = 'withdrawn' WHERE sha256 = $1 AND account = $2 AND vote = $3";
    OTHER_VOTERS = "SELECT 1 FROM voter WHERE sha256 = $1 AND account <> $2 LIMIT 1";
    LAST_VOTE = "SELECT sha256, vote, grp FROM voter WHERE account = $1 AND investigation = $2 AND standing <> 'withdrawn' \
                 ORDER BY vote DESC LIMIT 1";
    VOTES_AS_ONE = "SELECT sha256, vote FROM voter WHERE account = $1 AND investigation = $2 AND standing <> 'withdrawn' \
                    AND grp = $3 AND vote >= $4 ORDER BY vote DESC";
    SET_SHOWN = "INSERT INTO shown (account, sha256, how) VALUES ($1, $2, $3) ON CONFLICT (account, sha256, how) DO NOTHING";
    WAS_SHOWN = "SELECT how FROM shown WHERE account = $1 AND sha256 = $2";
    ADD_EXPOSURE = "INSERT INTO exposure (account, day, investigation, what, n, ms) VALUES ($1, $2, $3, $4, $5, $6) \
                    ON CONFLICT (account, day, investigation, what) DO UPDATE SET n = exposure.n + excluded.n, \
                    ms = exposure.ms + excluded.ms";
    /// A break stays one whatever was looked at in the same minute.
    ADD_LOOKED = "INSERT INTO looked (account, minute, rest) VALUES ($1, $2, $3) ON CONFLICT (account, minute) DO UPDATE \
                  SET rest = CASE WHEN excluded.rest > looked.rest THEN excluded.rest ELSE looked.rest END";
    LOOKED = "SELECT minute, rest FROM looked WHERE account = $1 AND minute > $2 AND minute <= $3 ORDER BY minute DESC";
    BEGIN_VIEW = "INSERT INTO open_view (view, account, sha256, began) VALUES ($1, $2, $3, $4)";
    OPEN_VIEW = "SELECT began FROM open_view WHERE view = $1 AND account = $2 AND sha256 = $3";
    END_VIEW = "DELETE FROM open_view WHERE view = $1";
    EXPOSURE_OF = "SELECT day, what, CAST(sum(n) AS BIGINT), CAST(sum(ms) AS BIGINT) FROM exposure WHERE account = $1 AND day >= $2 AND day <= $3 \
                   GROUP BY day, what ORDER BY day, what";
    EXPOSURE_OF_ALL = "SELECT day, what, CAST(sum(n) AS BIGINT), CAST(sum(ms) AS BIGINT), count(DISTINCT account) FROM exposure WHERE day >= $1 AND day <= $2 \
                       GROUP BY day, what ORDER BY day, what";
}
