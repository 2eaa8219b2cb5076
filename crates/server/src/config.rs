//! Settings: from flags, environment and file to one checked [`Config`].

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use ipnet::IpNet;
use muster_model::participant::DuplicatePolicy;
use muster_store::Address;
use serde::Deserialize;
use url::Url;

use crate::auth::turn::TurnRelay;

/// The manual, and the defaults.
pub const DEFAULT_TOML: &str = include_str!("config.default.toml");

/// Settings as given on the command line, in the environment or in the file; nothing is required.
///
/// The meaning of each is told in `config.default.toml`.
#[derive(Debug, Clone, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of the database, the master key and everything else that is kept
    #[arg(long, env = "MUSTER_DATA_DIR", value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// sqlite:FILE or postgres://…
    #[arg(
        long,
        env = "MUSTER_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        global = true
    )]
    pub database_url: Option<String>,
    /// The key that seals stored secrets
    #[arg(long, env = "MUSTER_MASTER_KEY_FILE", value_name = "FILE", global = true)]
    pub master_key_file: Option<PathBuf>,
    /// Plain HTTP
    #[arg(long, env = "MUSTER_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// HTTP over TLS
    #[arg(long, env = "MUSTER_TLS_LISTEN", value_name = "ADDR")]
    pub tls_listen: Option<SocketAddr>,
    /// Certificate chain, PEM
    #[arg(long, env = "MUSTER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM, readable by its owner alone
    #[arg(long, env = "MUSTER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// A certificate made at start
    #[arg(long, env = "MUSTER_TLS_SELF_SIGNED", num_args = 0..=1, default_missing_value = "true")]
    pub tls_self_signed: Option<bool>,
    /// /metrics
    #[arg(long, env = "MUSTER_ADMIN_LISTEN", value_name = "ADDR")]
    pub admin_listen: Option<SocketAddr>,
    /// Clients find api.<base>, socket-edge.<base> and so on
    #[arg(long, env = "MUSTER_BASE_DOMAIN", value_name = "NAME[:PORT]")]
    pub base_domain: Option<String>,
    /// What every link that is handed out begins with
    #[arg(long, env = "MUSTER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// A proxy whose X-Forwarded-For is believed; may be repeated
    #[arg(
        long = "trusted-proxy",
        env = "MUSTER_TRUSTED_PROXIES",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Media UDP
    #[arg(long, env = "MUSTER_MEDIA_LISTEN", value_name = "ADDR")]
    pub media_listen: Option<SocketAddr>,
    /// Whether media may come by TCP, on the same port
    #[arg(long, env = "MUSTER_MEDIA_TCP", value_name = "BOOL")]
    pub media_tcp: Option<bool>,
    /// An address told to clients for media; may be repeated
    #[arg(long, env = "MUSTER_MEDIA_IP", value_name = "IP", value_delimiter = ',')]
    pub media_ip: Option<Vec<IpAddr>>,
    /// An address of a TURN relay for clients; may be repeated
    #[arg(
        long = "turn-url",
        env = "MUSTER_TURN_URLS",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub turn_urls: Option<Vec<String>>,
    /// The secret that the TURN relay shares with us
    #[arg(
        long,
        env = "MUSTER_TURN_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub turn_secret: Option<String>,
    /// A private network that webhooks and uploads may reach; may be repeated
    #[arg(
        long,
        env = "MUSTER_ALLOW_OUTBOUND",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub allow_outbound: Option<Vec<IpNet>>,
    /// When a webhook's delivery is tried again: 2s,10s,1m
    #[arg(
        long,
        env = "MUSTER_WEBHOOK_RETRY_SCHEDULE",
        value_name = "TIME",
        value_delimiter = ','
    )]
    pub webhook_retry_schedule: Option<Vec<String>>,
    /// Life of a participant's token
    #[arg(long, env = "MUSTER_PARTICIPANT_TOKEN_TTL_SECS", value_name = "SECONDS")]
    pub participant_token_ttl_secs: Option<u64>,
    /// reuse, reject or allow
    #[arg(long, env = "MUSTER_DUPLICATE_PARTICIPANTS", value_name = "POLICY", value_parser = parse_policy)]
    pub duplicate_participants: Option<DuplicatePolicy>,
    /// Requests a minute for each API token
    #[arg(long, env = "MUSTER_RATE_LIMIT_PER_MINUTE", value_name = "N")]
    pub rate_limit_per_minute: Option<u32>,
    /// Requests at once
    #[arg(long, env = "MUSTER_MAX_CONCURRENT_REQUESTS", value_name = "N")]
    pub max_concurrent_requests: Option<u32>,
    /// Seconds after which a request is given up
    #[arg(long, env = "MUSTER_REQUEST_TIMEOUT_SECS", value_name = "SECONDS")]
    pub request_timeout_secs: Option<u64>,
    /// Seconds within which a client that lost its connection may come back
    #[arg(long, env = "MUSTER_RECONNECT_GRACE_SECS", value_name = "SECONDS")]
    pub reconnect_grace_secs: Option<u64>,
    /// Days for which the chat of ended sessions is kept
    #[arg(long, env = "MUSTER_CHAT_RETENTION_DAYS", value_name = "DAYS")]
    pub chat_retention_days: Option<u32>,
    /// Megabytes for finished pages
    #[arg(long, env = "MUSTER_PAGE_CACHE_MB", value_name = "N")]
    pub page_cache_mb: Option<u64>,
    /// Megabytes of chat files that an app may keep
    #[arg(long, env = "MUSTER_FILES_MB_PER_APP", value_name = "N")]
    pub files_mb_per_app: Option<u64>,
    /// human, json or auto
    #[arg(long, env = "MUSTER_LOG_FORMAT", value_name = "FORMAT", value_parser = parse_log_format)]
    pub log_format: Option<LogFormat>,
    /// error, warn, info, debug or trace
    #[arg(long, env = "MUSTER_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human on a terminal, JSON elsewhere.
    Auto,
    /// For reading.
    Human,
    /// For machines: one object a line.
    Json,
}

fn parse_policy(text: &str) -> Result<DuplicatePolicy, String> {
    from_text(text, "reuse, reject or allow")
}

fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    from_text(text, "auto, human or json")
}

fn from_text<T: for<'de> Deserialize<'de>>(text: &str, choices: &str) -> Result<T, String> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(
        text,
    ))
    .map_err(|_| format!("must be {choices}"))
}

impl Settings {
    /// Reads a settings file; an unknown key is an error that names it.
    pub fn from_file(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the settings file {} cannot be read", path.display()))?;
        toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), error.to_string().trim_end()))
    }

    fn defaults() -> anyhow::Result<Self> {
        toml::from_str(DEFAULT_TOML).context("the built-in settings")
    }

    /// These settings, and `below` where they say nothing.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        macro_rules! layer {
            ($($field:ident),* $(,)?) => { Self { $($field: self.$field.or(below.$field)),* } };
        }
        layer!(
            data_dir,
            database_url,
            master_key_file,
            listen,
            tls_listen,
            tls_cert,
            tls_key,
            tls_self_signed,
            admin_listen,
            base_domain,
            public_url,
            trusted_proxies,
            media_listen,
            media_tcp,
            media_ip,
            turn_urls,
            turn_secret,
            allow_outbound,
            webhook_retry_schedule,
            participant_token_ttl_secs,
            duplicate_participants,
            rate_limit_per_minute,
            max_concurrent_requests,
            request_timeout_secs,
            reconnect_grace_secs,
            chat_retention_days,
            page_cache_mb,
            files_mb_per_app,
            log_format,
            log_level,
        )
    }

    /// Fills in the defaults and checks what belongs together.
    pub fn resolve(self) -> anyhow::Result<Config> {
        Config::from_settings(self.over(Self::defaults()?))
    }
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSource {
    /// From files, re-read when they change.
    Files {
        /// Certificate chain, PEM.
        cert: PathBuf,
        /// Private key, PEM.
        key: PathBuf,
    },
    /// Made at start.
    SelfSigned,
}

/// Checked settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of everything that is kept.
    pub data_dir: PathBuf,
    /// Where the records are.
    pub database: Address,
    /// The file of the master key.
    pub master_key_file: PathBuf,
    /// Whether this is `muster dev`: the page's own origin stands for every host of the client SDK.
    pub dev: bool,
    /// Plain HTTP.
    pub listen: SocketAddr,
    /// TLS listener and its certificate.
    pub tls: Option<(SocketAddr, TlsSource)>,
    /// Metrics listener.
    pub admin_listen: Option<SocketAddr>,
    /// The TURN relay that clients are told of.
    pub turn: Option<TurnRelay>,
    /// Media UDP; each shard has a port of its own from here on.
    pub media_listen: SocketAddr,
    /// Whether media may come by TCP, on the first of these ports.
    pub media_tcp: bool,
    /// Addresses told to clients for media; those of the interfaces where there are none.
    pub media_ip: Vec<IpAddr>,
    /// Base domain of the clients' hosts, perhaps with a port.
    pub base_domain: String,
    /// What every link begins with, without a slash at the end.
    pub public_url: String,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks that outgoing requests may reach although they are private.
    pub allow_outbound: Vec<IpNet>,
    /// How long after each failed attempt a webhook's delivery is tried again; then it is given up.
    pub webhook_retry_schedule: Vec<Duration>,
    /// Life of a participant's token.
    pub participant_token_ttl: Duration,
    /// What becomes of a second participant with the same custom id.
    pub duplicate_participants: DuplicatePolicy,
    /// Requests a minute for each API token.
    pub rate_limit_per_minute: Option<std::num::NonZeroU32>,
    /// Requests at once.
    pub max_concurrent_requests: usize,
    /// When a request is given up.
    pub request_timeout: Duration,
    /// How long a client that lost its connection may come back.
    pub reconnect_grace: Duration,
    /// How long the chat of ended sessions is kept.
    pub chat_retention: Duration,
    /// Bytes for finished pages; none are kept when 0.
    pub page_cache_bytes: u64,
    /// Bytes of chat files that an app may keep.
    pub files_bytes_per_app: u64,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which are written.
    pub log_level: String,
}

impl Config {
    fn from_settings(s: Settings) -> anyhow::Result<Self> {
        let data_dir = s.data_dir.context("data_dir is missing")?;
        let database: Address = match s.database_url {
            Some(url) => url.parse()?,
            None => Address::Sqlite(data_dir.join("muster.db")),
        };
        let master_key_file = s
            .master_key_file
            .unwrap_or_else(|| default_key_file(&data_dir, &database));
        let tls = match (
            s.tls_listen,
            s.tls_cert,
            s.tls_key,
            s.tls_self_signed.unwrap_or(false),
        ) {
            (None, None, None, false) => None,
            (None, None, None, true) => bail!("tls_self_signed is given without tls_listen"),
            (None, ..) => bail!("tls_cert and tls_key are given without tls_listen"),
            (Some(listen), Some(cert), Some(key), false) => Some((listen, TlsSource::Files { cert, key })),
            (Some(listen), None, None, true) => Some((listen, TlsSource::SelfSigned)),
            (Some(_), ..) => bail!("tls_listen needs either tls_cert and tls_key, or tls_self_signed"),
        };
        let base_domain = s.base_domain.context("base_domain is missing")?;
        check_base_domain(&base_domain)?;
        let public_url = match s.public_url {
            Some(url)
                if matches!(url.scheme(), "http" | "https")
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
                    && url.password().is_none() =>
            {
                url.as_str().trim_end_matches('/').to_owned()
            }
            Some(url) => bail!("public_url {url} is not a plain http or https address"),
            None => format!("https://api.{base_domain}"),
        };
        let ttl = s
            .participant_token_ttl_secs
            .context("participant_token_ttl_secs is missing")?;
        if ttl == 0 || ttl > 10 * 365 * 86_400 {
            bail!("participant_token_ttl_secs must be 1 to 315360000");
        }
        let concurrent = s
            .max_concurrent_requests
            .context("max_concurrent_requests is missing")?;
        let timeout = s
            .request_timeout_secs
            .context("request_timeout_secs is missing")?;
        if concurrent == 0 || timeout == 0 {
            bail!("max_concurrent_requests and request_timeout_secs must be at least 1");
        }
        let log_level = s.log_level.unwrap_or_else(|| "info".into());
        let is_level = |word: &str| word.parse::<tracing::level_filters::LevelFilter>().is_ok();
        // A bare word that is no level would be taken for a target, and nothing would be logged at all.
        if log_level
            .split(',')
            .any(|directive| !directive.contains('=') && !is_level(directive.trim()))
        {
            bail!("log_level {log_level} is not error, warn, info, debug or trace");
        }
        Ok(Self {
            data_dir,
            database,
            master_key_file,
            dev: false,
            listen: s.listen.context("listen is missing")?,
            tls,
            admin_listen: s.admin_listen,
            turn: match s.turn_urls.unwrap_or_default() {
                urls if urls.is_empty() => None,
                urls => Some(TurnRelay::new(urls, s.turn_secret.unwrap_or_default())?),
            },
            media_listen: s.media_listen.context("media_listen is missing")?,
            media_tcp: s.media_tcp.context("media_tcp is missing")?,
            media_ip: s.media_ip.unwrap_or_default(),
            base_domain,
            public_url,
            trusted_proxies: s.trusted_proxies.unwrap_or_default(),
            allow_outbound: s.allow_outbound.unwrap_or_default(),
            webhook_retry_schedule: retry_schedule(&s.webhook_retry_schedule.unwrap_or_default())?,
            participant_token_ttl: Duration::from_secs(ttl),
            duplicate_participants: s.duplicate_participants.unwrap_or_default(),
            rate_limit_per_minute: s.rate_limit_per_minute.and_then(std::num::NonZeroU32::new),
            max_concurrent_requests: concurrent as usize,
            request_timeout: Duration::from_secs(timeout),
            chat_retention: Duration::from_secs(
                u64::from(s.chat_retention_days.context("chat_retention_days is missing")?) * 24 * 3600,
            ),
            reconnect_grace: Duration::from_secs(
                s.reconnect_grace_secs
                    .context("reconnect_grace_secs is missing")?,
            ),
            page_cache_bytes: s.page_cache_mb.unwrap_or(0).saturating_mul(1 << 20),
            files_bytes_per_app: s.files_mb_per_app.unwrap_or(0).saturating_mul(1 << 20),
            log_format: s.log_format.unwrap_or(LogFormat::Auto),
            log_level,
        })
    }
}

/// Retries of one delivery at most: while it is tried, the later ones of its session wait.
const MAX_RETRIES: usize = 20;
const MAX_RETRY_DELAY: Duration = Duration::from_secs(86_400);

fn retry_schedule(texts: &[String]) -> anyhow::Result<Vec<Duration>> {
    let schedule = texts
        .iter()
        .map(|text| {
            crate::duration::parse(text.trim()).with_context(|| format!("webhook_retry_schedule: {text:?}"))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    if schedule.len() > MAX_RETRIES || schedule.iter().any(|delay| *delay > MAX_RETRY_DELAY) {
        bail!("webhook_retry_schedule has at most {MAX_RETRIES} entries, none longer than 1d");
    }
    Ok(schedule)
}

/// A backup is started on as it is: its key lies beside it.
fn default_key_file(data_dir: &Path, database: &Address) -> PathBuf {
    if let Address::Sqlite(file) = database {
        let beside = key_file_beside(file);
        if beside.exists() {
            return beside;
        }
    }
    data_dir.join("master.key")
}

/// The name of the key that belongs to a copied database file.
pub fn key_file_beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

fn check_base_domain(text: &str) -> anyhow::Result<()> {
    let (name, port) = text
        .split_once(':')
        .map_or((text, None), |(name, port)| (name, Some(port)));
    let label =
        |l: &str| (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let fits =
        name.len() <= 200 && name.split('.').all(label) && port.is_none_or(|p| p.parse::<u16>().is_ok());
    if fits {
        Ok(())
    } else {
        bail!("base_domain {text} is not a host name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_is_the_defaults() {
        let config = Settings::default().resolve().unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.public_url, "https://api.localhost");
        assert_eq!(config.participant_token_ttl, Duration::from_secs(100 * 86_400));
        assert_eq!(
            config.webhook_retry_schedule,
            [2, 10, 60, 300, 1800].map(Duration::from_secs)
        );
        assert!(config.tls.is_none() && config.admin_listen.is_none());
    }

    #[test]
    fn unknown_keys_are_named() {
        let error = toml::from_str::<Settings>("lissten = \"127.0.0.1:1\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("lissten"), "{error}");
    }

    #[test]
    fn what_belongs_together_is_checked() {
        let of = |toml: &str| toml::from_str::<Settings>(toml).unwrap().resolve();
        assert!(of("tls_listen = \"127.0.0.1:1\"").is_err());
        assert!(of("tls_cert = \"a\"").is_err());
        assert!(of("tls_listen = \"127.0.0.1:1\"\ntls_self_signed = true").is_ok());
        assert!(of("public_url = \"ftp://x\"").is_err());
        assert!(of("base_domain = \"a b\"").is_err());
        assert!(of("database_url = \"mysql://x\"").is_err());
        assert!(of("webhook_retry_schedule = [\"2\"]").is_err());
        assert!(of("webhook_retry_schedule = [\"2d\"]").is_err());
        assert!(of("webhook_retry_schedule = []").is_ok());
        assert_eq!(
            of("base_domain = \"rtk.test:8443\"").unwrap().public_url,
            "https://api.rtk.test:8443"
        );
    }

    #[test]
    fn the_upper_layer_wins() {
        let upper = Settings {
            page_cache_mb: Some(1),
            ..Settings::default()
        };
        let lower = Settings {
            page_cache_mb: Some(2),
            log_level: Some("debug".into()),
            ..Settings::default()
        };
        let both = upper.over(lower).resolve().unwrap();
        assert_eq!(
            (both.page_cache_bytes, both.log_level.as_str()),
            (1 << 20, "debug")
        );
    }
}
