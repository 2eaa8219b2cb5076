//! Log events as one JSON object a line.
//!
//! The library's own JSON form goes through a serialiser, twice for some fields, and cost an eighth of
//! a request's time in a profile; this one writes each field once, straight into the line.

use std::fmt::{self, Write};

use muster_model::Timestamp;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// Time, level, target and the fields of the event, flat. Spans are not used in this program.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        line(&mut out, Timestamp::now(), event)
    }
}

fn line(out: &mut dyn Write, now: Timestamp, event: &Event<'_>) -> fmt::Result {
    let metadata = event.metadata();
    write!(
        out,
        r#"{{"timestamp":"{now}","level":"{}","target":""#,
        metadata.level()
    )?;
    escape(out, metadata.target())?;
    out.write_char('"')?;
    let mut fields = Fields { out, result: Ok(()) };
    event.record(&mut fields);
    fields.result?;
    out.write_str("}\n")
}

struct Fields<'a> {
    out: &'a mut dyn Write,
    result: fmt::Result,
}

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        if self.result.is_err() {
            return;
        }
        // Field names are identifiers of this program or `log`'s; none needs escaping.
        self.result = write!(self.out, r#","{}":"#, field.name()).and_then(|()| value(self.out));
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, |out| {
            out.write_char('"')?;
            escape(out, value)?;
            out.write_char('"')
        });
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |out| write!(out, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |out| write!(out, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |out| write!(out, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no words for infinities and NaN.
        self.put(field, |out| {
            if value.is_finite() {
                write!(out, "{value}")
            } else {
                out.write_str("null")
            }
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, |out| {
            out.write_char('"')?;
            write!(Escaping(out), "{value:?}")?;
            out.write_char('"')
        });
    }
}

struct Escaping<'a>(&'a mut dyn Write);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text)
    }
}

/// Writes text as the inside of a JSON string (RFC 8259, section 7).
fn escape(out: &mut dyn Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.write_str(plain)?;
        match special.as_bytes().first() {
            Some(b'"') => out.write_str("\\\"")?,
            Some(b'\\') => out.write_str("\\\\")?,
            Some(b'\n') => out.write_str("\\n")?,
            Some(control) => write!(out, "\\u{control:04x}")?,
            None => {}
        }
        rest = special.get(1..).unwrap_or_default();
    }
    out.write_str(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_escapes_to_json(text in any::<String>()) {
            let mut line = String::from("\"");
            escape(&mut line, &text).unwrap();
            line.push('"');
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }

    #[test]
    fn an_event_is_one_object() {
        use std::sync::{Arc, Mutex};
        use tracing_subscriber::{fmt as layer, layer::SubscriberExt};

        #[derive(Clone, Default)]
        struct Sink(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = layer::layer()
            .event_format(JsonLine)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(target: "access", status = 200u16, none = Option::<&str>::None, quoted = %"a\"b\n", "hi");
        });
        let bytes = sink.0.lock().unwrap().clone();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            (&value["level"], &value["target"], &value["message"]),
            (&"INFO".into(), &"access".into(), &"hi".into())
        );
        assert_eq!(
            (&value["status"], &value["quoted"], &value["none"]),
            (&200.into(), &"a\"b\n".into(), &serde_json::Value::Null)
        );
        assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), 1);
    }
}
