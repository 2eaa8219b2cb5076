//! The little of STUN (RFC 8489) that finding the addressee needs. Whether a message is authentic is
//! for ICE to judge.

const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const MAGIC_COOKIE: u32 = 0x2112_A442;
const USERNAME: u16 = 0x0006;
const USERNAME_MAX: usize = 513;

/// Whether the first byte says STUN (RFC 7983).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[0] < 2
}

/// The ICE user fragment of the addressee in a binding request; none where this is not a well-formed
/// binding request with a user name.
pub fn addressee(datagram: &[u8]) -> Option<&str> {
    let half = |at: usize| Some(u16::from_be_bytes(datagram.get(at..at + 2)?.try_into().ok()?));
    if half(0)? != BINDING_REQUEST {
        return None;
    }
    let length = usize::from(half(2)?);
    let cookie = u32::from_be_bytes(datagram.get(4..8)?.try_into().ok()?);
    if cookie != MAGIC_COOKIE || !length.is_multiple_of(4) || datagram.len() != HEADER + length {
        return None;
    }
    let mut at = HEADER;
    while at < datagram.len() {
        let kind = half(at)?;
        let size = usize::from(half(at + 2)?);
        let value = datagram.get(at + 4..at + 4 + size)?;
        if kind == USERNAME {
            if size > USERNAME_MAX {
                return None;
            }
            let (ours, _) = std::str::from_utf8(value).ok()?.split_once(':')?;
            return (!ours.is_empty()).then_some(ours);
        }
        at += 4 + size.next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut message = Vec::new();
        message.extend(BINDING_REQUEST.to_be_bytes());
        message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        message.extend(MAGIC_COOKIE.to_be_bytes());
        message.extend([7; 12]);
        message.extend(body);
        message
    }

    #[test]
    fn the_addressee_comes_first_in_the_user_name() {
        let message = request(&[(0x8022, b"soft"), (USERNAME, b"ours:theirs")]);
        assert!(is_stun(&message));
        assert_eq!(addressee(&message), Some("ours"));
    }

    #[test]
    fn what_is_not_a_whole_binding_request_has_none() {
        let message = request(&[(USERNAME, b"ours:theirs")]);
        let mut response = message.clone();
        response[0] = 1;
        let mut cookie = message.clone();
        cookie[4] = 0;
        let mut long = message.clone();
        long.push(0);
        for other in [
            response,
            cookie,
            long,
            message[..30].to_vec(),
            request(&[(USERNAME, b"no colon")]),
        ] {
            assert_eq!(addressee(&other), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (is_stun(&bytes), addressee(&bytes));
        }

        #[test]
        fn damaged_requests_are_read_without_panic(at in 0usize..60, value: u8, cut in 0usize..60) {
            let mut message = request(&[(0x0024, &[1, 2, 3, 4]), (USERNAME, b"ours:theirs"), (0x0008, &[0; 20])]);
            let last = message.len() - 1;
            message[at.min(last)] = value;
            message.truncate(message.len() - cut.min(last));
            let _ = addressee(&message);
        }

        #[test]
        fn any_fragment_is_found_again(ours in "[a-zA-Z0-9+/]{4,32}", theirs in "[a-zA-Z0-9+/]{4,32}") {
            let name = format!("{ours}:{theirs}");
            let message = request(&[(USERNAME, name.as_bytes())]);
            prop_assert_eq!(addressee(&message), Some(ours.as_str()));
        }
    }
}
