//! Lists of header names without repetitions. Header names are the same in any case (RFC 9110, section 5.1).

/// The number of names with which each is compared. A longer list may repeat a name: the work for a request has to stay
/// linear.
const MOST_COMPARED: usize = 32;

/// Each of `names` once, in the order in which they come.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a [u8]> + Clone) -> impl Iterator<Item = &'a [u8]> + Clone {
    let all = names.clone();
    names
        .enumerate()
        .filter(move |(place, name)| {
            let earlier = all.clone().take((*place).min(MOST_COMPARED));
            !earlier.into_iter().any(|other| other.eq_ignore_ascii_case(name))
        })
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_stays() {
        let names = [&b"Link"[..], b"ETag", b"link", b"Link", b"Date"];
        assert_eq!(
            distinct(names.into_iter()).collect::<Vec<_>>(),
            [&b"Link"[..], b"ETag", b"Date"]
        );
    }

    #[test]
    fn the_work_is_bounded() {
        let names: Vec<String> = (0..40).map(|number| format!("x-{number}")).collect();
        let twice = names.iter().chain(&names).map(|name| name.as_bytes());
        assert_eq!(distinct(twice).count(), 40 + 40 - MOST_COMPARED);
    }
}
