//! Summary of one log file: each line is classified, incidents are counted.

use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};

use jiff::{Timestamp, tz::TimeZone};
use rayon::prelude::*;

use super::chunks::{Chunk, Chunks};
use super::classify::{Event, What, classify};
use super::incidents;
use super::incidents::{Incidents, Occurrence};
use super::origin::{LogOrigin, session_in};
use super::workers::WorkerHistories;
use crate::domain::{Name, Side, SourceKind, Time, TimeSet};
use crate::format::fields::{between, field};
use crate::format::log_fields;
use crate::format::log_fields::MessageFields;
use crate::format::log_message::Message;
use crate::format::logline::{LogLine, Origin};
use crate::format::release::{Fingerprint, ReleaseSet};
use crate::scan::meter::Meter;

/// The summary of one log file.
#[derive(Clone, Debug)]
pub struct LogSummary {
    /// The file.
    pub path: Name,
    /// The directory of the case it belongs to; logs of different cases are unrelated.
    pub case: Option<Name>,
    /// Who wrote it.
    pub kind: Option<SourceKind>,
    /// Which side wrote it.
    pub side: Side,
    /// The session it belongs to, if path or lines name it.
    pub session: Option<String>,
    /// Its directory: a node's logs of one session are together.
    pub folder: Name,
    /// The primary node of its workers, if path or lines name it.
    pub node: Option<String>,
    /// Lines read.
    pub lines: u64,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Lines in no known form.
    pub unparsed: u64,
    /// Time of the first line.
    pub first: Option<Time>,
    /// Time of the last line.
    pub last: Option<Time>,
    /// The releases that can have written it.
    pub fingerprint: Fingerprint,
    /// What happened.
    pub incidents: Incidents,
    /// The workers it reports on.
    pub histories: WorkerHistories,
    /// When the session was stopped, started or reconfigured: that explains some noise.
    pub interventions: TimeSet,
    /// What could not be read, if anything.
    pub note: Option<String>,
    /// Whether reading failed before the end of the file.
    pub cut_short: bool,
    zone: Option<TimeZone>,
}

/// The time that is looked at; messages outside are ignored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// From here on.
    pub since: Option<Time>,
    /// Up to here.
    pub until: Option<Time>,
}

impl Window {
    fn holds(&self, at: Time) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }
}

impl LogSummary {
    /// An empty summary for a file not yet read.
    #[must_use]
    pub fn unread(path: Name, case: Option<Name>) -> Self {
        let place = LogOrigin::of(&path);
        Self {
            kind: place.kind,
            side: place.side.unwrap_or(Side::Both),
            session: place.session,
            folder: folder(&path),
            node: place.node,
            path,
            case,
            lines: 0,
            bytes: 0,
            unparsed: 0,
            first: None,
            last: None,
            fingerprint: Fingerprint::default(),
            incidents: Incidents::default(),
            histories: WorkerHistories::default(),
            interventions: TimeSet::default(),
            note: None,
            cut_short: false,
            zone: None,
        }
    }

    /// Sets the time zone of a log in local time; without one its times are read as UTC.
    pub(super) fn set_zone(&mut self, zone: Option<&TimeZone>) {
        self.zone = zone.cloned();
    }

    /// Whether only releases that logged local time can have written it: gsyncd before 3.7.7.
    pub(super) fn is_in_local_time(&self) -> bool {
        let old = ReleaseSet::between("3.2.0", "3.7.6");
        let kind =
            matches!(self.kind, Some(SourceKind::PrimaryGsyncd | SourceKind::SecondaryGsyncd));
        kind && self.fingerprint.releases().zip(old).is_some_and(|(set, old)| set.is_within(old))
    }

    /// Reads a stream to its end.
    ///
    /// # Errors
    /// The error of the stream; what was read before it counts.
    pub fn read(
        &mut self,
        stream: impl Read + Send,
        window: &Window,
        meter: &Meter,
    ) -> io::Result<()> {
        let wave = rayon::current_num_threads().max(1);
        let mut ended = Ok(());
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(1);
            scope.spawn(move || read_waves(stream, wave, &send));
            for batch in receive {
                match batch {
                    Ok(batch) => self.add_chunks(&batch, window, meter),
                    Err(error) => ended = Err(error),
                }
            }
        });
        self.histories.finish();
        ended
    }

    fn add_chunks(&mut self, batch: &[Chunk], window: &Window, meter: &Meter) {
        let classified: Vec<_> = batch.par_iter().map(|chunk| classify(&chunk.bytes)).collect();
        for (chunk, found) in batch.iter().zip(classified) {
            if let Some(first) = &found.first {
                self.recognise(first);
            }
            for site in &found.sites {
                if let Origin::Gsyncd { module, function, line, .. } = site.origin {
                    self.fingerprint.observe(module, function, line, site.at.micros());
                }
            }
            for event in found.events {
                self.event(event, window);
            }
            if let Some((first, last)) = found.span {
                self.first = incidents::earlier(self.first, Some(self.utc(first)));
                self.last = Some(self.utc(last));
            }
            self.lines += found.lines;
            self.unparsed += found.unparsed;
            let bytes = chunk.bytes.len() as u64 + chunk.skipped;
            self.bytes += bytes;
            meter.bytes.fetch_add(bytes, Ordering::Relaxed);
            meter.lines.fetch_add(found.lines, Ordering::Relaxed);
        }
    }

    fn utc(&self, at: Time) -> Time {
        let Some(zone) = &self.zone else { return at };
        let local = Timestamp::from_microsecond(at.micros()).ok();
        let civil = local.map(|local| local.to_zoned(TimeZone::UTC).datetime());
        let real = civil.and_then(|civil| zone.to_ambiguous_timestamp(civil).compatible().ok());
        real.map_or(at, Time::from)
    }

    fn recognise(&mut self, first: &LogLine<'_>) {
        let place = LogOrigin { kind: self.kind, ..LogOrigin::default() };
        let kind = place.kind_with_first_line(first);
        self.kind = Some(kind);
        self.side = match kind {
            SourceKind::PrimaryGsyncd | SourceKind::Changes => Side::Primary,
            SourceKind::SecondaryGsyncd => Side::Secondary,
            // Both sides have these: only the path may show which.
            SourceKind::Client | SourceKind::Brick | SourceKind::Glusterd | SourceKind::Cli => {
                self.side
            }
        };
    }

    fn event(&mut self, mut event: Event<'_>, window: &Window) {
        match event.what {
            What::Message(message, line) if window.holds(self.utc(line.at)) => {
                let fields = std::mem::take(&mut event.fields);
                self.message(message, &line, fields, &event);
            }
            What::Message(..) => {}
            What::Headless => self.headless(&event),
            What::Section(name) => {
                let place = LogOrigin::of(&Name::from(name));
                self.session = self.session.take().or(place.session);
                self.side = place.side.unwrap_or(self.side);
            }
        }
    }

    fn message(
        &mut self,
        message: Message,
        line: &LogLine<'_>,
        fields: MessageFields<'_>,
        event: &Event<'_>,
    ) {
        let at = self.utc(line.at);
        let speaker = Speaker::of(line, self.side);
        let named = fields.brick.map(String::from_utf8_lossy);
        let speaker = Speaker { named: named.as_deref().or(speaker.brick), ..speaker };
        if self.is_state(message, &fields, &speaker, at) {
            return;
        }
        if matches!(message, Message::SessionConfig | Message::Syncing | Message::MountArguments) {
            self.session = self.session.take().or_else(|| session_in(line.message));
            return;
        }
        self.note_death(message, &speaker, at);
        self.node = self.node.take().or_else(|| node_in(message, line));
        let occurrence = Occurrence {
            message,
            side: speaker.side,
            node: speaker.node,
            worker: speaker.named,
            since: Some(self.utc(line.since)),
            at: Some(at),
            times: line.times,
        };
        self.count(&occurrence, fields, event);
    }

    /// Records a state of a worker or of the session, or an operator's action; whether it was one.
    fn is_state(
        &mut self,
        message: Message,
        fields: &MessageFields<'_>,
        speaker: &Speaker<'_>,
        at: Time,
    ) -> bool {
        let (brick, words) = (speaker.brick, String::from_utf8_lossy(&fields.words));
        match message {
            Message::WorkerStarting => {
                if let Some(renewed) = self.histories.starting(speaker.named, at) {
                    self.interventions.add(renewed);
                }
            }
            Message::WorkerStatus => self.histories.status(brick, &words, at),
            Message::CrawlStatus => self.histories.crawl(brick, &words, at),
            Message::HybridStarted => self.histories.full_crawl(brick),
            Message::Progress | Message::CrawlFinished => self.histories.progress(brick, at),
            Message::Connected => self.histories.connected(brick, at),
            Message::SyncTaken if fields.exit_code.is_none() => self.histories.progress(brick, at),
            Message::MonitorStatus => {
                self.interventions.add(at);
                self.histories.monitor(if words.is_empty() { "Deleted" } else { &words }, at);
            }
            Message::ConfigChanged | Message::GeorepCommand => self.interventions.add(at),
            Message::Ending if speaker.is_monitor => {
                self.interventions.add(at);
                self.histories.monitor("Stopped", at);
            }
            Message::Ending => {}
            // Everything else is counted as an incident; `check` decides whether it is a fault.
            _ => return false,
        }
        true
    }

    /// Records a death: some lines are a worker's last, others are the monitor's report of it.
    fn note_death(&mut self, message: Message, speaker: &Speaker<'_>, at: Time) {
        let last_words = matches!(
            message,
            Message::Raised
                | Message::PeerBroken
                | Message::GaveUp
                | Message::MountGone
                | Message::HistoryFailed
                | Message::RegisterFailed
                | Message::MetaVolumeMissing
                | Message::DirectoryStops
                | Message::ExecFailed
        );
        let reported =
            matches!(message, Message::WorkerDied | Message::WorkerHung | Message::AgentDied);
        if (last_words && speaker.side == Side::Primary && speaker.is_worker) || reported {
            self.histories.died(speaker.named, at);
        }
    }

    fn headless(&mut self, event: &Event<'_>) {
        let line = LogLine {
            at: Time::from_secs(0),
            since: Time::from_secs(0),
            times: 1,
            level: b'E',
            origin: Origin::Command,
            message: b"",
        };
        let fields = log_fields::message_fields(Message::Raised, &line, event.tail);
        let Some(exception) = &fields.exception else { return };
        let served = exception.went_through("repce", "worker");
        let occurrence = Occurrence {
            message: if served { Message::CallRaised } else { Message::Raised },
            side: if served { Side::Secondary } else { self.side },
            node: None,
            worker: None,
            since: None,
            at: None,
            times: 1,
        };
        if served && self.kind.is_none() {
            self.kind = Some(SourceKind::SecondaryGsyncd);
        }
        self.count(&occurrence, fields, event);
    }

    fn count(&mut self, occurrence: &Occurrence<'_>, fields: MessageFields<'_>, event: &Event<'_>) {
        let micros = occurrence.at.map_or(0, Time::micros);
        for frame in fields.exception.iter().flat_map(|exception| &exception.frames) {
            let (file, function) = (frame.file.as_bytes(), frame.function.as_bytes());
            self.fingerprint.observe_frame(file, function, frame.line, micros);
        }
        let (path, number) = (&self.path, self.lines + event.line + 1);
        self.incidents.count(occurrence, fields, || {
            let last = last_line(event.tail).filter(|_| event.text.ends_with(b": "));
            match last {
                Some(last) => {
                    let text = [event.text, last].concat();
                    incidents::evidence(path, number, &text)
                }
                None => incidents::evidence(path, number, event.text),
            }
        });
    }
}

/// Cuts a stream into chunks and sends them in batches, so that reading and classifying overlap.
fn read_waves(stream: impl Read, wave: usize, send: &SyncSender<io::Result<Vec<Chunk>>>) {
    let mut chunks = Chunks::new(stream);
    loop {
        let mut batch = Vec::with_capacity(wave);
        while batch.len() < wave {
            match chunks.next() {
                Ok(Some(chunk)) => batch.push(chunk),
                Ok(None) => break,
                Err(error) => {
                    // What was read before the error counts; a receiver that left wants neither.
                    let _ = send.send(Ok(batch)).and_then(|()| send.send(Err(error)));
                    return;
                }
            }
        }
        if batch.is_empty() || send.send(Ok(batch)).is_err() {
            return;
        }
    }
}

/// The folder of a path.
fn folder(path: &Name) -> Name {
    let bytes = path.as_bytes();
    Name::from(bytes.get(..memchr::memrchr(b'/', bytes).unwrap_or(0)).unwrap_or_default())
}

/// The exception's own line, at the end of a traceback.
fn last_line(tail: &[u8]) -> Option<&[u8]> {
    tail.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().filter(|line| !line.is_empty())
}

/// A primary node that a command line names.
fn node_in(message: Message, line: &LogLine<'_>) -> Option<String> {
    if message != Message::CommandFailed {
        return None;
    }
    let command = field(line.message, "cmd").unwrap_or(line.message);
    let node = between(command, "--primary-node ", " ")
        .or_else(|| between(command, "--master-node ", " "))?;
    Some(String::from_utf8_lossy(node).into_owned())
}

/// Who wrote a line.
#[derive(Clone, Copy)]
struct Speaker<'a> {
    side: Side,
    node: Option<&'a str>,
    /// The brick of the process that logs.
    brick: Option<&'a str>,
    /// The brick that the message is about: the one it names, else the process's own.
    named: Option<&'a str>,
    is_worker: bool,
    is_monitor: bool,
}

impl<'a> Speaker<'a> {
    /// Splits gsyncd's label: `worker /b`, `/b`, `agent /b`, `slave node/b`, `monitor`.
    fn of(line: &LogLine<'a>, side: Side) -> Self {
        let nobody = Self {
            side,
            node: None,
            brick: None,
            named: None,
            is_worker: false,
            is_monitor: false,
        };
        let Origin::Gsyncd { label, .. } = line.origin else { return nobody };
        let label = std::str::from_utf8(label).unwrap_or_default();
        if let Some(peer) = label.strip_prefix("slave").or_else(|| label.strip_prefix("secondary"))
        {
            let (node, brick) =
                peer.trim_start().split_at(peer.trim_start().find('/').unwrap_or(0));
            let some = |text: &'a str| (!text.is_empty()).then_some(text);
            let (node, brick) = (some(node), some(brick).filter(|brick| brick.starts_with('/')));
            return Self { side: Side::Secondary, node, brick, is_worker: true, ..nobody };
        }
        let side = if side == Side::Secondary { side } else { Side::Primary };
        let worker = label.strip_prefix("worker ").or_else(|| label.strip_prefix("agent "));
        let brick = worker.or_else(|| label.starts_with('/').then_some(label));
        let is_worker = brick.is_some() || label.is_empty();
        Self { side, brick, is_worker, is_monitor: label == "monitor", ..nobody }
    }
}
