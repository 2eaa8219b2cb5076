//! Query parameters: declared once, for the document and for reading.

use std::time::Duration;

use axum::{extract::FromRequestParts, http::request::Parts};
use muster_model::{PageRequest, Timestamp};
use serde_json::{Value, json};

use super::error::{ApiError, Fault};
use crate::app::App;

/// A query parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it does.
    pub about: &'static str,
}

/// What a query parameter may be. Every one may also be absent or empty, which mean the same.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number from 0.
    Number,
    /// Any text.
    Text,
    /// `true` or `false`.
    Bool,
    /// An RFC 3339 date and time.
    Time,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Some of these words, separated by commas or given repeatedly.
    Choices(&'static [&'static str]),
    /// Text of at most so many characters.
    ShortText(usize),
    /// The id of a record.
    Id,
    /// Seconds since 1970, or an RFC 3339 date and time.
    Moment,
}

/// `page_no`, of every paged list.
pub const PAGE_NO: Param = Param {
    name: "page_no",
    kind: Kind::Number,
    about: "Number of the page, from 1; 0 means 1",
};
/// `per_page`, of every paged list.
pub const PER_PAGE: Param = Param {
    name: "per_page",
    kind: Kind::Number,
    about: "Records on a page, at most 1000; 0 means the default",
};

/// What `sort_order` may be: the published contract spells the second one in two ways.
pub const ORDERS: Kind = Kind::Choice(&["ASC", "DESC", "DSC"]);
/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

impl Param {
    /// A parameter.
    pub const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about }
    }

    /// Its JSON schema.
    pub fn schema(&self) -> Value {
        match self.kind {
            Kind::Number => json!({"type": "integer", "minimum": 0}),
            Kind::Text => json!({"type": "string"}),
            Kind::ShortText(max) => json!({"type": "string", "maxLength": max}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Time => json!({"type": "string", "format": "date-time"}),
            Kind::Date => json!({"type": "string", "format": "date"}),
            Kind::Id => json!({"type": "string", "format": "uuid"}),
            Kind::Moment => json!({"oneOf": [
                {"type": "integer", "format": "int64", "minimum": 0, "maximum": LAST_SECOND},
                {"type": "string", "format": "date-time"},
            ]}),
            Kind::Choice(words) => json!({"type": "string", "enum": words}),
            Kind::Choices(words) => json!({"type": "array", "items": {"type": "string", "enum": words}}),
        }
    }
}

/// The query parameters of a request, as they came. Names that nobody asks for are ignored.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl FromRequestParts<App> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let Some(query) = parts.uri.query() else {
            return Ok(Self::default());
        };
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|_| ApiError::fault("", "The query string does not read"))?;
        if pairs.iter().any(|(_, value)| value.contains('\0')) {
            return Err(ApiError::fault(
                "",
                "The query string must not contain NUL characters",
            ));
        }
        Ok(Self { pairs })
    }
}

impl Query {
    /// The parameters of a query string, for tests of what reads them.
    #[cfg(test)]
    pub fn of(text: &str) -> Self {
        Self {
            pairs: serde_urlencoded::from_str(text).unwrap(),
        }
    }

    /// The last value given for a name; an empty one counts as absent.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
            .filter(|v| !v.is_empty())
    }

    /// Reads several parameters; all that do not read are told together.
    pub fn read<'q, T>(&'q self, read: impl FnOnce(&mut Reader<'q>) -> T) -> Result<T, ApiError> {
        let mut reader = Reader {
            query: self,
            faults: Vec::new(),
        };
        let value = read(&mut reader);
        if reader.faults.is_empty() {
            Ok(value)
        } else {
            Err(ApiError::faults(reader.faults))
        }
    }
}

/// Reads parameters and gathers what is wrong with them.
#[derive(Debug)]
pub struct Reader<'q> {
    query: &'q Query,
    faults: Vec<Fault>,
}

impl<'q> Reader<'q> {
    fn parsed<T>(&mut self, param: &Param, what: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.query.raw(param.name)?;
        let value = parse(text);
        if value.is_none() {
            self.faults.push(Fault::of(param.name, what));
        }
        value
    }

    /// Notes a fault that shows only when parameters are seen together.
    pub fn fault(&mut self, param: &Param, what: &str) {
        self.faults.push(Fault::of(param.name, what));
    }

    /// The page wanted.
    pub fn page(&mut self, default_size: u32) -> PageRequest {
        let number = self.number(&PAGE_NO);
        let size = self.number(&PER_PAGE);
        PageRequest::new(number, size, default_size)
    }

    /// A whole number from 0; one too large for the type counts as the largest.
    pub fn number(&mut self, param: &Param) -> Option<u64> {
        self.parsed(param, "must be a whole number from 0", |text| {
            // Python's SDK writes whole numbers as floats.
            let digits = text
                .split_once('.')
                .filter(|(_, f)| f.bytes().all(|b| b == b'0'))
                .map_or(text, |(d, _)| d);
            let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            whole.then(|| digits.parse().unwrap_or(u64::MAX))
        })
    }

    /// A text.
    pub fn text(&mut self, param: &Param) -> Option<&'q str> {
        let text = self.query.raw(param.name)?;
        if let Kind::ShortText(max) = param.kind
            && text.chars().count() > max
        {
            self.faults.push(Fault::of(
                param.name,
                format_args!("must be at most {max} characters long"),
            ));
        }
        Some(text)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, param: &Param) -> Option<bool> {
        self.parsed(param, "must be true or false", |text| match text {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => None,
        })
    }

    /// A date and time.
    pub fn time(&mut self, param: &Param) -> Option<Timestamp> {
        self.parsed(
            param,
            "must be a date and time such as 2026-01-31T09:30:00Z",
            |text| text.parse().ok(),
        )
    }

    /// The time up to which records are wanted, itself included: answers show milliseconds, so the
    /// whole millisecond is meant.
    pub fn time_to(&mut self, param: &Param) -> Option<Timestamp> {
        self.time(param).map(|time| time.plus(Duration::from_micros(999)))
    }

    /// A moment, as the first and the last microsecond that it can mean.
    pub fn moment(&mut self, param: &Param) -> Option<(Timestamp, Timestamp)> {
        self.parsed(
            param,
            "must be seconds since 1970 or a date and time such as 2026-01-31T09:30:00Z",
            |text| {
                let micros = Duration::from_micros;
                let digits = text.strip_suffix(".0").unwrap_or(text);
                if digits.bytes().all(|b| b.is_ascii_digit()) {
                    let secs = digits.parse().ok().filter(|secs| *secs <= LAST_SECOND)?;
                    let begins = Timestamp::from_secs(secs);
                    return Some((begins, begins.plus(micros(999_999))));
                }
                let begins: Timestamp = text.parse().ok()?;
                Some((begins, begins.plus(micros(999))))
            },
        )
    }

    /// The id of a record.
    pub fn id<T: std::str::FromStr>(&mut self, param: &Param) -> Option<T> {
        self.parsed(param, "must be a valid uuid", |text| text.parse().ok())
    }

    /// Whether smallest first is wanted, of a parameter of the kind [`ORDERS`]; largest first is the default.
    pub fn ascending(&mut self, param: &Param) -> bool {
        self.choice(param) == Some("ASC")
    }

    /// The UTC midnight that begins a day.
    pub fn date(&mut self, param: &Param) -> Option<Timestamp> {
        self.parsed(param, "must be a day such as 2026-01-31", |text| {
            Timestamp::from_date(text).ok()
        })
    }

    /// One of the parameter's words.
    pub fn choice(&mut self, param: &Param) -> Option<&'static str> {
        let Kind::Choice(words) = param.kind else {
            return None;
        };
        self.parsed(param, &format!("must be one of [{}]", words.join(", ")), |text| {
            words.iter().find(|word| **word == text).copied()
        })
    }

    /// Some of the parameter's words, separated by commas or given repeatedly (also as `name[]`).
    pub fn choices(&mut self, param: &Param) -> Vec<&'static str> {
        let Kind::Choices(words) = param.kind else {
            return Vec::new();
        };
        let mut chosen = Vec::new();
        for (name, value) in &self.query.pairs {
            if name.strip_suffix("[]").unwrap_or(name) != param.name {
                continue;
            }
            for text in value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
                if self.faults.len() >= Fault::MANY || chosen.len() > words.len() {
                    return chosen;
                }
                match words.iter().find(|word| **word == text) {
                    Some(word) => chosen.push(*word),
                    None => self.faults.push(Fault::of(
                        param.name,
                        format_args!("must be one of [{}]", words.join(", ")),
                    )),
                }
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> Query {
        Query::of(text)
    }

    #[test]
    fn pages_are_read_liberally_but_not_blindly() {
        let page = |text: &str| query(text).read(|r| r.page(25)).map(|p| (p.number(), p.limit()));
        assert_eq!(page("").unwrap(), (1, 25));
        assert_eq!(page("page_no=&per_page=").unwrap(), (1, 25));
        assert_eq!(page("page_no=0&per_page=0").unwrap(), (1, 25));
        assert_eq!(page("page_no=3&per_page=9999").unwrap(), (3, 1000));
        assert_eq!(page("page_no=99999999999999999999999").unwrap(), (u64::MAX, 25));
        assert_eq!(page("page_no=2.0&per_page=5.0").unwrap(), (2, 5));
        for wrong in [
            "page_no=1.5",
            "page_no=.0",
            "page_no=-1",
            "per_page=ten",
            "per_page=%2B1",
        ] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let error = query("page_no=x&per_page=y").read(|r| r.page(25)).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("page_no") && text.contains("per_page"));
    }

    #[test]
    fn words_come_in_either_form() {
        const STATUS: Param = Param::new("status", Kind::Choices(&["A", "B"]), "");
        for form in ["status=A,B", "status=A&status=B", "status[]=A&status[]=B"] {
            assert_eq!(
                query(form).read(|r| r.choices(&STATUS)).unwrap(),
                ["A", "B"],
                "{form}"
            );
        }
        assert!(query("status=C").read(|r| r.choices(&STATUS)).is_err());
    }

    #[test]
    fn moments_come_in_either_form() {
        const AT: Param = Param::new("at", Kind::Moment, "");
        let read = |text: &str| query(text).read(|r| r.moment(&AT));
        let (first, last) = read("at=1700000000").unwrap().unwrap();
        assert_eq!(
            (first.as_micros(), last.as_micros()),
            (1_700_000_000_000_000, 1_700_000_000_999_999)
        );
        assert_eq!(read("at=2023-11-14T22:13:20Z").unwrap().unwrap().0, first);
        assert_eq!(read("at=1700000000.0").unwrap().unwrap().0, first);
        assert_eq!(read("at=").unwrap(), None);
        for wrong in ["at=yesterday", "at=-1", "at=1.5", "at=99999999999999999999"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_and_orders_are_read() {
        const ID: Param = Param::new("id", Kind::Id, "");
        const ORDER: Param = Param::new("order", ORDERS, "");
        assert!(
            query("id=x")
                .read(|r| r.id::<muster_model::MeetingId>(&ID))
                .is_err()
        );
        for (text, ascending) in [
            ("", false),
            ("order=ASC", true),
            ("order=DSC", false),
            ("order=DESC", false),
        ] {
            assert_eq!(
                query(text).read(|r| r.ascending(&ORDER)).unwrap(),
                ascending,
                "{text}"
            );
        }
        assert!(query("order=up").read(|r| r.ascending(&ORDER)).is_err());
    }

    proptest! {
        #[test]
        fn no_page_panics(number in ".*", size in ".*") {
            let query = Query { pairs: vec![("page_no".into(), number), ("per_page".into(), size)] };
            if let Ok(page) = query.read(|r| r.page(25)) {
                prop_assert!(page.limit() >= 1 && page.offset() >= 0);
            }
        }
    }
}
