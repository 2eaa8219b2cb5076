//! `muster load`: meetings full of participants with real media, and what they measured.

mod rest;

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use muster_client::{
    ClientError, Target,
    load::{self, Audio, Phase, Plan, Profile, Progress, Report, Video},
};
use serde_json::json;
use tokio::sync::oneshot;

use super::serve::StopSignals;
use rest::{Place, Rest};

/// Where the API token is.
const TOKEN: &str = "MUSTER_TOKEN";

/// What `muster load` is to do.
#[derive(Debug, Args)]
pub struct Load {
    #[arg(
        long,
        help = "The server, such as http://127.0.0.1:8080; the API token comes from MUSTER_TOKEN"
    )]
    url: String,
    /// Account of the token; the one it belongs to when absent
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// App in which meetings are made; when absent, one is made and deleted again
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// Preset of all participants
    #[arg(long, default_value = "group_call_participant", value_name = "NAME")]
    preset: String,
    /// Meetings
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    meetings: u32,
    /// Participants of each meeting that send
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    publishers: u32,
    /// Participants of each meeting that only receive
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    subscribers: u32,
    /// Publishers receive each other too
    #[arg(long)]
    duplex: bool,
    /// How long is measured
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Sound only
    #[arg(long, conflicts_with = "video")]
    audio: bool,
    /// Pictures only
    #[arg(long)]
    video: bool,
    /// Bits per second of sound
    #[arg(long, default_value_t = 32_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    audio_bitrate: u64,
    /// Milliseconds of sound in a packet
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=120))]
    audio_frame_ms: u64,
    /// Bits per second of pictures, of the best layer
    #[arg(long, default_value_t = 1_500_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    video_bitrate: u64,
    /// Pictures per second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    video_fps: u32,
    /// Bytes of a video payload at most
    #[arg(long, default_value_t = 1_100, value_parser = clap::value_parser!(u16).range(64..=1_200))]
    packet_size: u16,
    /// How much faster than on average the packets of a frame leave
    #[arg(long, default_value_t = 2.5)]
    pacing: f64,
    /// Pictures in the layers f, h and q
    #[arg(long)]
    simulcast: bool,
    /// Receivers wish for another layer every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    switch_every: Option<u64>,
    /// Participants that join at a time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    at_once: u32,
    /// Threads; one for each core when absent, four at most
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Let a server beyond this machine be loaded
    #[arg(long)]
    allow_remote: bool,
    /// One JSON object a line on standard output: phases as they begin, the report last
    #[arg(long)]
    json: bool,
}

impl Load {
    /// Runs it. What it made on the server is deleted in the end, also when it is told to stop.
    pub async fn run(self) -> anyhow::Result<()> {
        let token = std::env::var(TOKEN).with_context(|| format!("{TOKEN} must hold an API token"))?;
        anyhow::ensure!(
            self.pacing.is_finite() && self.pacing > 0.0,
            "--pacing must be above 0"
        );
        let mut stop = StopSignals::expect()?;
        // Each participant has three sockets. Where no more are allowed, a join says so.
        super::raise_open_files();
        let tls = tokio::task::spawn_blocking(crate::outbound::http::tls).await??;
        let target = Target::resolve(&self.url, self.allow_remote, Some(tls.clone().into()))
            .await
            .map_err(|error| match error {
                ClientError::NotLoopback(_) => anyhow!("{error}; --allow-remote lets it be loaded"),
                error => error.into(),
            })?;
        let rest = Rest::new(&target, &token, tls)?;
        let place = tokio::select! {
            place = rest.place(self.account_id.as_deref(), self.app_id.as_deref()) => place?,
            () = stop.told() => bail!("told to stop"),
        };
        let ran = self.run_in(&rest, &place, target, &mut stop).await;
        let left = rest.tidy(&place).await;
        let report = ran?;
        left?;
        if !report.is_whole() {
            let joins = &report.joins;
            bail!(
                "{} of {} did not come in, {} were lost: {}",
                joins.failed,
                joins.attempted,
                joins.lost,
                told(&report)
            );
        }
        Ok(())
    }

    async fn run_in(
        &self,
        rest: &Rest,
        place: &Place,
        target: Target,
        stop: &mut StopSignals,
    ) -> anyhow::Result<Report> {
        let (publishers, subscribers) = (self.publishers as usize, self.subscribers as usize);
        let meetings = tokio::select! {
            made = rest.meetings(place, self.meetings as usize, (publishers, subscribers), &self.preset) => made?,
            () = stop.told() => bail!("told to stop"),
        };
        let plan = Plan {
            target,
            remote: self.allow_remote,
            meetings,
            profile: self.profile(),
            duplex: self.duplex,
            during: Duration::from_secs(self.seconds),
            at_once: self.at_once as usize,
            switch_every: self.switch_every.map(Duration::from_secs),
            threads: self.threads.map_or_else(threads, usize::from),
        };
        let (say, told) = oneshot::channel();
        let run = load::run(plan, |progress| self.show(&progress), told);
        tokio::pin!(run);
        let mut say = Some(say);
        let report = loop {
            tokio::select! {
                report = &mut run => break report?,
                () = stop.told(), if say.is_some() => say = None,
            }
        };
        self.tell(&report);
        if say.is_none() {
            bail!("told to stop");
        }
        Ok(report)
    }

    fn profile(&self) -> Profile {
        let audio = Audio {
            bitrate: self.audio_bitrate,
            interval: Duration::from_millis(self.audio_frame_ms),
        };
        let video = Video {
            bitrate: self.video_bitrate,
            frames: f64::from(self.video_fps),
            packet: usize::from(self.packet_size),
            simulcast: self.simulcast,
            pacing: self.pacing,
        };
        Profile {
            audio: (!self.video).then_some(audio),
            video: (!self.audio).then_some(video),
        }
    }

    fn show(&self, progress: &Progress) {
        let phase = match progress.phase {
            Phase::Publishers => "publishers",
            Phase::Subscribers => "subscribers",
            Phase::Joined => "joined",
            Phase::Measuring => "measuring",
            Phase::Measured => "measured",
            Phase::Leave => "leaving",
        };
        if self.json && progress.begins {
            say(&json!({"phase": phase, "joined": progress.joined, "failed": progress.failed}).to_string());
        }
        if std::io::stderr().is_terminal() {
            let _ = writeln!(
                std::io::stderr(),
                "{phase:<12} {} of {} inside, {} gone   {:>8.0} packets/s   {:>7.1} Mb/s",
                progress.joined,
                progress.people,
                progress.failed,
                progress.packets_per_second,
                progress.bits_per_second / 1e6
            );
        }
    }

    fn tell(&self, report: &Report) {
        if self.json {
            let mut whole = json!({"phase": "done"});
            if let (Some(whole), Ok(serde_json::Value::Object(report))) =
                (whole.as_object_mut(), serde_json::to_value(report))
            {
                whole.extend(report);
            }
            return say(&whole.to_string());
        }
        let (joins, packets, delay) = (&report.joins, &report.packets, &report.delay);
        say(&format!(
            "joins         {} of {} ({} lost later); inside after p50 {:.1} ms, p99 {:.1} ms\n\
             first packet  p50 {:.1} ms, p99 {:.1} ms after a join began\n\
             packets       {} sent, {} of {} received ({:.4} % lost, {} late), {:.0} a second\n\
             tracks        {}, {} of them silent\n\
             delay         p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms\n\
             bitrate       {:.2} Mb/s sent, {:.2} Mb/s received\n\
             layers        {} switches, {} key frames asked for\n\
             send lag      {:.1} ms at most{}",
            joins.succeeded,
            joins.attempted,
            joins.lost,
            joins.time.p50_ms,
            joins.time.p99_ms,
            joins.first_packet.p50_ms,
            joins.first_packet.p99_ms,
            packets.sent,
            packets.received,
            packets.expected,
            packets.loss * 100.0,
            packets.late,
            report.received_packets_per_second,
            packets.subscriptions,
            packets.silent,
            delay.p50_ms,
            delay.p99_ms,
            delay.p99_9_ms,
            delay.max_ms,
            report.sent_bits_per_second / 1e6,
            report.received_bits_per_second / 1e6,
            report.layer_switches,
            report.key_frame_requests,
            report.send_lag_ms,
            told(report)
                .lines()
                .fold(String::new(), |all, line| format!("{all}\nerror         {line}")),
        ));
    }
}

/// What went wrong, in one text.
fn told(report: &Report) -> String {
    let errors = report
        .errors
        .iter()
        .map(|(text, count)| format!("{text} ({count} times)"));
    errors.collect::<Vec<_>>().join("; ")
}

fn say(text: &str) {
    // Whoever reads may have gone; the load goes on to tidy up.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(4)
}
