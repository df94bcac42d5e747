//! # aftercare
//!
//! Schedules counselling sessions for survivors and treatment sessions for offenders across the
//! counsellors of several organisations, so that the two never meet. One crate, one binary, one
//! port; one database reached through one façade that speaks to SQLite and PostgreSQL.
//!
//! ## Map
//!
//! | where | what lives there |
//! |---|---|
//! | [`domain`] | what is true of sessions, whoever asks and however it is stored; pure |
//! | [`store`] | the only SQL: one text for two engines |
//! | [`usecase`] | one use case per RPC: permission, transaction, load, decide, store, audit, commit |
//! | [`grpc`] | the wire: messages ⇄ domain, errors → status, and the gate in front of both |
//! | [`jobs`] | who does what the use cases enqueue: claim, run, retry, drain; the pump of the feed, the sealer of the audit trail |
//! | [`auth`] | bearer tokens: who calls; and the key with which this process signs |
//! | [`metrics`] | what can be measured from outside, on a listener of its own |
//! | [`transport`] | connections: how many, for how long, and TLS |
//! | [`app`] | from a configuration to a running service |
//! | [`cli`] | one file per command |
//! | [`clock`], [`rng`] | the present and chance, injected |
//! | [`chain`](mod@chain), [`span`](mod@span), [`unique`] | what an error says, with its causes; what takes time; names for the log |
//! | [`telemetry`] | traces and metrics, sent to a collector |
//!
//! The same noun has the same file name in every layer. Where to begin: [`domain::rules`] is the
//! table of booking rules, [`usecase::work`] the one path of everything that writes,
//! `migrations/` the invariants.
//!
//! ```text
//! main → cli → app → transport, metrics, grpc, jobs, auth → usecase → store → domain
//! ```
//!
//! A test (`tests/it/layers.rs`) reads the `use` lines and holds these arrows.
//!
//! ## Invariants
//!
//! * Nobody and nothing is in two places at once; survivors and offenders are never at one site
//!   within its separation gap; linked people of different sides never share a site and a local
//!   day. The **schema** holds all three, on both engines, whatever the code forgets.
//! * Whatever places a session asks one function, [`domain::rules::broken`]: what is offered is
//!   accepted. It locks the rows of its client, counsellor, venue, site and agreements first.
//! * Whatever changes a fact on which sessions rest locks the same rows, and judges the coming sessions
//!   anew before it commits: a session breaks no hard rule, or it is flagged.
//! * Whoever changes a series, or takes or fills a number of one, locks its row first of all; then clients,
//!   counsellors, venues, sites, sessions, each kind in the order of ids.
//! * Everything that writes for a caller passes [`usecase::mutate`]: one transaction, one audit event, one
//!   effect per request id. A refusal leaves its audit event and nothing else.
//! * Whatever is committed to the audit trail waits in a table of its own until it is sealed, and leaves it by that alone:
//!   no order of ids or instants decides what is sealed. Nothing is sealed on top of a chain that was changed, and
//!   nobody who writes waits for a seal.
//! * A job is enqueued in the transaction of its cause, and its row is deleted in the transaction of its
//!   effect, by who has its lease: it is done once, however often it is begun.
//! * A time that a session gives back is offered to one at a time of those who wait, as a hold with an end, by
//!   the rules of every booking; a session of it is made by a person's answer alone. The schema has one open or
//!   accepted offer of a time, whoever is killed when.
//! * Whatever writes a session notes it for the feed, in its transaction and in `store`, so that nobody can
//!   forget. Its position in the order comes after the commit: a position below one that somebody has read never
//!   comes to be, whoever commits late.
//! * No stream outlives the token that it was opened with.
//! * Nothing of a token is believed before its signature, checked with a key of its issuer by the one algorithm of
//!   that key; whatever is wrong with it, the answer has the same bytes.
//! * Away from loopback tokens come from a provider, and nothing is said in the clear, unless a proxy is vouched for.
//! * No stream outlives the token that it was opened with, nor a revocation of it.
//! * The gate knows revocations and service accounts from memory, so that they cost no call anything. They hold at once
//!   where they were written, and elsewhere within five seconds, as long as the database answers.
//! * What the rules look at that does not change with sessions is remembered by each process, and used only at the version
//!   that the transaction itself reads: what one process has committed, the next request of any other goes by. The
//!   schema's triggers draw the version, so that nobody can forget to.
//! * Whoever is let in to a client in an emergency is let in by another person, for hours, to read: each read is in the
//!   trail with the emergency's id.
//! * Attendance is recorded by people, never by a clock; records, decisions and events of orders are superseded,
//!   never changed. What nobody has recorded is unknown, and counts neither way.
//! * Whether an order is complied with is a function of its terms, policy, events and the day
//!   ([`domain::compliance`]). What is kept of it is good until its next change, and moved on before it is read.
//! * Whoever records about an order locks the client, then the order, and after that nothing but the client's
//!   sessions; whoever only moves orders on locks them alone, in the order of ids.
//! * What calls for a person is raised in the transaction of its cause, once. Whom it names is a function of the hour:
//!   the clinical lead is reached when the time runs out, also when no job runs. It stands until a person resolves it.
//! * Milestones get their days, standing and instruments in one place, in the transaction of whatever may have changed
//!   them: enrolment, sessions, attendance, assessments, events of a case. Where one stands is computed when it is read,
//!   never written by a clock. Plans are locked after everything else.
//! * No answer to police depends on anything but the orders of their jurisdiction: cursors and tokens included.
//! * A change is given its position after it is committed, by one process at a time: a cursor skips nothing.
//! * A [`usecase::Call`] exists only for a caller whose role was checked against
//!   [`domain::access::TABLE`]; which rows a caller sees is decided from the stored row.
//! * Only `store` names sqlx, only `grpc` names tonic (beside the composition root and the demo's
//!   client). Nothing but [`clock::SystemClock`] and [`rng::SeededRng::from_system`] asks the
//!   machine for the time or for chance; a lint holds that.
//! * Text about a person is a [`domain::personal::Personal`]: it prints as `[redacted]` and
//!   becomes bytes at rest in one place, [`store::seal`]: encrypted under the key of whom it is about, and bound to
//!   owner, row and column. The keys are in another database, wrapped by a key that is in neither.
//! * Nothing is sealed with a key that is not kept: new owners' keys are committed before the data. Whoever needs both
//!   databases begins with the data; no transaction of the key store waits for one of the data.
//! * What was erased stays erased: no key is made again, no row about the client is written, and both schemas say so.
//! * An export is read in one transaction and audited, with the id of everything in it, before its first message leaves.
//!   It holds nothing about anybody else, and what a reader may not read piece by piece is not in it.
//! * Nobody is erased by age but by a policy that has listed them, unchanged, for as long as its notice lasts; and nobody
//!   whom anything keeps on that day. A changed policy lists anew.
//! * What a caller may not know exists is NOT_FOUND, worded as if it did not; separation and a room
//!   taken by others are one code, SLOT_NOT_AVAILABLE.
//!
//! ## Decisions
//!
//! * 2026-11: an organisation's record of a case is its own; a *link*, found by a keyed digest of
//!   district, police station and crime number, joins the records silently. Neither organisation
//!   learns that the other has one.
//! * 2026-11: a declaration of no contact names the other by reference code and is accepted
//!   whether or not that code is known. A check character catches slips of the pen instead.
//! * 2026-11: a counsellor's weekly timetable is part of the counsellor (one etag, one row lock)
//!   rather than a table of its own.
//! * 2026-11: rules of working hours are read by a crate and computed here: it steps through every
//!   period since the first, and would search on for a day that never comes.
//! * 2026-11: the days of a holiday calendar are kept per version; a list of calendars carries neither
//!   days nor etags, so that nobody strikes out days by writing a listed calendar back.
//! * 2026-11: a number of a professional register that no counsellor has any more is free again, if
//!   that counsellor never saw anybody: a slip of the pen must not tie it to a side for ever.
//! * 2026-11: a hold is a session that is none yet: one row, one path, the same fences. Expired ones are
//!   removed before whatever they could be in the way of, in a transaction of its own; before a single booking, once it
//!   has lost a claim.
//! * 2026-11: a session has participants and seats; one to one is a session of one seat, and goes every way
//!   that a group goes. Flags and overrides about a client stand with that client.
//! * 2026-11: an exported calendar names clients and places by code, and neither side nor service, because
//!   the file leaves the service's care.
//! * 2026-11: who joins a group locks the client and the session alone: whoever changes another fact judges the
//!   session anew after that, and so sees who has joined. It needs no etag, for it rests on nobody else who joins.
//! * 2026-11: of a group only what stands against the newcomer keeps the newcomer out, and what was overridden
//!   for the group as a whole is not asked again.
//! * 2026-11: people of one side may be declared not to meet: they never sit in one group.
//! * 2026-11: a repeated reassignment in bulk answers what was done and tries what was refused again, because
//!   refusals are evaluated anew everywhere.
//! * 2026-11: a fact that changes is never refused for the sake of sessions; only a wider separation gap
//!   is, because two presences that are too close cannot be stored.
//! * 2026-11: reasons for overrides may be personal, so they are sealed beside the session, and the audit
//!   trail has the rule and the session.
//! * 2026-11: a site's zone never changes, because the local days of its sessions are kept by it.
//! * 2026-11: a consent is never changed, and a guardian never deleted: whose word counted when is
//!   part of the history. Of an age that only a year tells, the oldest possible asks for assent and
//!   the youngest for an own consent.
//! * 2026-11: an import overrides soft booking rules, because the organisation decided before; what a hard
//!   rule forbids is left out and listed. A session that is stored is known by client and start, and stays.
//! * 2026-11: a job is a type beside the use cases of its noun, for they enqueue it by name; `jobs` has the
//!   worker and the list of all. What recurs is one row for all processes, and is never given up.
//! * 2026-11: a dead letter gives up its key, so that it is in no new job's way; and a lease is one instant and
//!   one holder in the row itself, so that whoever comes back too late finds out by deleting nothing.
//! * 2026-11: whoever looks for the first who may have a freed time looks without locks, and locks for that one
//!   alone: clients come before counsellors in the order of locks. Who cannot have it by then is passed over in
//!   another job.
//! * 2026-11: an entry of the waitlist has no state for being offered something: that is its open offer. And a
//!   client who was booked otherwise still waits, because only a person knows whether that will do.
//! * 2026-11: the alternatives of a refusal are looked up after the refusal is committed, so that
//!   nobody waits for them inside the one writer of SQLite.
//! * 2026-11: an order is the events of its history, chained by a digest that only the installation can make, since what
//!   an event says could be guessed from a plain one. Attendance keeps its own records; of each, the order's history has
//!   what a policy can judge, in figures, so that an amended policy judges it anew.
//! * 2026-11: calling off a session that counts towards an order is attendance: late by the client an absence to be
//!   decided upon, by provider, venue or court none. So absences have one home.
//! * 2026-11: what corrects something counts, for the question which look-ups it has changed, from when that was
//!   recorded or deemed; what is merely recorded later is no correction.
//! * 2026-11: the crime number of a look-up is the officers' own and is compared with nothing; the provider is shown
//!   purpose and officer, not the number, which may name another person's case.
//! * 2026-11: an answer to police is good until the end of the order's day; anything finer would tell deadlines.
//! * 2026-11: the days of an order's holiday calendar are those that stand now, and a changed calendar judges its orders
//!   anew; the policy is pinned to a version, because it is what the order was made under.
//! * 2026-11: a series begins on a day of its own rule, which RFC 5545 leaves undefined; the day of its UNTIL
//!   counts, whole and local; and days left out count towards COUNT.
//! * 2026-11: what a programme said in every version is kept whole, and never changed: a series that was
//!   planned by one names the version.
//! * 2026-11: a series keeps what was asked for and planned, and nothing that belongs to one session. A
//!   skipped day takes no number, so that a course of twelve has the numbers 1 to 12 however many holidays
//!   lie in between, and a programme loses none of its sessions.
//! * 2026-11: a series of which nothing fits is refused even when what fits was asked for; every series has
//!   a session from its beginning, and a number that was refused or cancelled is made up by BookSession.
//! * 2026-11: hours that a counsellor never works are no closure, days off that the timetable states are: a
//!   mistake in the time of day must not send a series from week to week.
//! * 2026-11: positions of the feed count per topic, and cursors hide them, so that a cursor says nothing about
//!   what happens elsewhere. It belongs to its topic: whoever may follow that may go on with it.
//! * 2026-11: a watch shows sessions as they now stand, not as each change left them: what is over helps nobody,
//!   and nothing about a person is kept twice.
//! * 2026-11: a counsellor who leads a session no more is told so, and nothing about what becomes of it then.
//! * 2026-11: one process at a time orders the feed, under the lock of one row that it has for a moment; a lease
//!   would have to end before anybody else could go on.
//! * 2026-11: a decision belongs to the record it was made about. A correction makes another fact, so the absence is
//!   pending again; the decision stays in the history.
//! * 2026-11: late corrections are for another person than the first recorder, by the token's subject: whoever has two
//!   roles is one person.
//! * 2026-11: what leaving before the end amounts to is for an order's policy, so it can be decided upon, but waits
//!   for no decision.
//! * 2026-11: a note is about one client and sealed under that client's key, also in a group: a note about several
//!   could be erased for none of them.
//! * 2026-11: an import records no attendance: it places what is to come, and leaves out what is past.
//! * 2026-11: each process signs statements with a key of its own, which never leaves its data directory; the
//!   database has the public ones, for ever. A rotated private key is destroyed, so that it can sign nothing more.
//! * 2026-11: the signing key is read from its file for every statement: nothing can be out of date, and a running
//!   process needs no signal after a rotation.
//! * 2026-11: a statement is current to the end of its local day and proves what it says for ever; its form is one
//!   algorithm, one type, no options, so that there is one right answer to whether it is genuine.
//! * 2026-11: half time and the end of treatment are told by sessions of treatment; interviews and company at a hearing
//!   are none. One that was booked for a milestone does not put off the end, on which that milestone may hang.
//! * 2026-11: a milestone that is done keeps its days when its anchor moves; one whose answers were taken back gets
//!   those of the present. One at which nothing can be asked at the age does not apply.
//! * 2026-11: a session is booked for a milestone inside its window, or late; only the assessment completes it.
//! * 2026-11: the milestones of a closed plan stand as they did when it was closed.
//! * 2026-11: steps of procedure are done and undone by the events of the case alone, so that a correction corrects what
//!   was in time. A monthly report counts for the first month that has none.
//! * 2026-11: what a counsellor finds among the own milestones is kept by counsellor and due day, and follows from plans
//!   and sessions; asking who leads whom for every page would grow with the caseload.
//! * 2026-11: a questionnaire is a file, and its version says by which rules a result came about. What was not
//!   answered is never guessed: an algorithm gives a result only if every way to complete the sheet gives it.
//! * 2026-11: a result is kept as it was scored, and compared with others when it is read: whoever corrects a baseline
//!   corrects what was compared with it, and nobody rescores in silence.
//! * 2026-11: an assessment that came too soon counts for nobody's change, but raises what it calls for like any other:
//!   nobody waits for a safe interval to notice that somebody is worse. A corrected cause takes no call back.
//! * 2026-11: what a caregiver answers is a series of its own, and never compared with what a survivor does.
//! * 2026-11: a milestone is done when everything that it asks for is answered or was declined. To keep an appointment
//!   for it does not do it.
//! * 2026-11: steps of procedure have a limit and no end of their window: what is overdue is still to be done, and
//!   the service draws no conclusion from it.
//! * 2026-11: a training is a session of a service that is for no side's clients. It takes its trainers' and its room's
//!   time, and keeps nobody away from the site.
//! * 2026-11: counts for an organisation are of whole months, since two periods that differ by a day tell of that day.
//! * 2026-11: a series is moved session by session, those that come later from the last to the first, so that
//!   none is in the way of another and what cannot be moved stays.
//! * 2026-11: that somebody has taken an escalation on is said before its etag is compared: it is what whoever comes
//!   second has to know. That its time ran out changes no etag, so that nobody who is about to take it on is refused.
//! * 2026-11: an entry of the waitlist is escalated by the open escalation itself, which is looked up and not copied.
//! * 2026-11: of survivors, a no-show is one that nobody has explained. Whoever refused or was sent away was seen, and
//!   breaks a row of no-shows; what was explained or not held is passed over. A no-show raises each alarm once.
//! * 2026-11: a concern names who is responsible for the client, by plan or by session, unless the caller names somebody;
//!   of what it has raised, a coordinator learns that it is there and its times.
//! * 2026-11: while the keys of a provider are not known, health says NOT_SERVING for everything and calls are
//!   UNAVAILABLE: nobody could be told apart. The process starts all the same, for the provider may come later.
//! * 2026-11: keys that nobody confirms count for an hour: who is in stays in while the provider is away, and whoever
//!   keeps it away from us keeps a withdrawn key alive for no longer.
//! * 2026-11: a token without a role is a service account's or nobody's; one whose role is not known is refused.
//! * 2026-11: one connection more than there may be is closed at once rather than left waiting, so that its owner can
//!   try another process.
//! * 2026-11: what is sealed of an audit event are the bytes that stand in its row, lists as JSON text included, so that
//!   no engine writes them in its own way; each event is checked against the stored hash before it, so that one change
//!   is found in one place.
//! * 2026-11: a head is signed for each batch, by the key of the process that sealed it; a check says which keys it
//!   trusted, and that keys found only in the database prove little.
//! * 2026-11: of reports, nobody is not few: that nobody missed is what they are for. One to four are withheld, and
//!   whatever would give them away to somebody who knows the rules; each report by itself, of whole months.
//! * 2026-11: a subject is a person, whose tokens name a role, or a program, whose tokens name none and whose role stands
//!   here. A token that claims the one for the other is bad, so that no issuer can widen what a program was narrowed to.
//! * 2026-11: of a subject that is revoked, tokens of the same second are refused as well, for they tell whole seconds.
//! * 2026-11: calls are counted before the role is asked, by caller and in each process; so being denied cannot fill the
//!   trail, and nobody can use up what is another's. A refusal is audited once a minute.
//! * 2026-11: an emergency opens the reads that are audited, and no others; lists that carry no personal text stay as
//!   they are. It belongs to the subject that asked for it, not to the counsellor's seat.
//! * 2026-11: the keys of a request's new owners are kept in one transaction as it commits: an import waits for one disk
//!   write more, and what is refused makes no key. Of two processes that give one owner two keys, one tries again.
//! * 2026-11: ciphertext is not bound to a version of its row: whoever can write the database can put an older text of the
//!   same field back, and only the audit trail says so.
//! * 2026-11: a key that is in use stays in memory for a minute, so another process may read what is erased for so long.
//!   The client itself it knows to be erased at once.
//! * 2026-11: an erased client keeps reference, file number, side and preferences: they say nothing without the paper file,
//!   and an old import cannot bring the client back. Assessments are gone, as there is nothing left of them but their day.
//! * 2026-11: the key of a case goes with the last of its parties, unless its steps are still followed up.
//! * 2026-11: what is still to be recorded of the past, such as who came, may be recorded of an erased client; words about
//!   the client may not.
//! * 2026-11: a look-up by name compares whole normalised names by a digest that differs between organisations. It is
//!   audited like a read, because it says who somebody is.
//! * 2026-11: the keyring is the same file wherever a process runs. A rotation puts its key there before anything is
//!   wrapped with it, and takes the old one out when nothing is; so it can be interrupted anywhere, and copied in between.
//! * 2026-11: who comes of age on a day is found by a keyed digest of that day: in clear it would be the date of birth.
//! * 2026-11: what was made of a client who moves to another organisation stays the old one's row, and is read by whose
//!   client it is: so counts stand, and an append-only table needs no exception. Only calls upon people, reports and closed
//!   orders are handed on.
//! * 2026-11: whoever has an open treatment order does not move. Its attendance is corrected by who held the sessions,
//!   and police must be told the corrected truth.
//! * 2026-11: a consent to a transfer moves somebody once: it was given for that, and not for whatever comes after.
//! * 2026-11: an export is made of the messages by which things are read piece by piece, and of the same parts: a new field
//!   is in it by itself, and a new part has to say who reads it. In a file they are JSON by their descriptors.
//! * 2026-11: an export states the number of a request, and no reason in words: those could be kept neither in the trail nor
//!   with a client who was erased. The person's copy leaves out what protects others and went to police, and by itself what
//!   counsellors noted; events of a case tell of everybody in it and are in none.
//! * 2026-11: who has read about a client is told of the own organisation and of reads alone: what others do, and what is
//!   changed, may tell of the other side.
//! * 2026-11: for how long people are kept counts from the last thing that happened to them here, not from when somebody
//!   closes a file, which is forgotten; a hold is no such thing. Where age matters and is not known, a person must say.
//! * 2026-11: the audit trail is under no rule of retention: nothing of it is ever thrown away, so that no policy sets it
//!   below what the law demands of logs.
//! * 2026-11: what is personal is marked beside the field, in proto/: what a message prints, what the tests plant and what
//!   a client library keeps out of its own logs follow from that one mark.
//! * 2026-11: the names of those who work here are read under audit like any other; searches and calendars carry none.
//! * 2026-11: on SQLite all who write meanwhile share a commit, each behind a savepoint. Who is alone commits at once; chores
//!   that take long have a transaction of their own, so that nobody's acknowledgement waits for them.
//! * 2026-11: the version of an organisation's directory is the sum of random numbers, one for each thing in it. One row
//!   for the whole would have everybody who changes anything wait for each other, and a count would come again after
//!   what was undone.
//! * 2026-11: a directory is remembered without the names of counsellors: no rule looks at them, so none is opened.
//! * 2026-11: a refusal begins its transaction anew to write its audit event, and a request that succeeds makes no savepoint.
//! * 2026-11: on SQLite a transaction that reads begins in the text of its first statement, and nobody waits for its end; what
//!   is read by a single statement has no transaction on either engine, and is refused a second one.
//! * 2026-11: that a token's signature is good is remembered by the token's digest for as long as the keys are not read anew;
//!   its times, its revocation and whom it names are looked at in every call.
//! * 2026-11: backups are copies of a snapshot (`VACUUM INTO`) that are opened and checked before they have a name; of keys only
//!   the newest copy is kept. After a restoration positions of the feed jump, so that no cursor from before goes on unnoticed.

pub mod app;
pub mod auth;
pub mod chain;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod grpc;
pub mod jobs;
pub mod metrics;
pub mod rng;
pub mod span;
pub mod store;
pub mod telemetry;
pub mod transport;
pub mod unique;
pub mod usecase;
