//! The names of functions, as callgrind shows them: what to call each on a page, and [`whose`] it is.

use crate::bench::figures::Whose;

const DROP: &str = "core::ptr::drop_in_place";

/// A name that can be read: type and function, or module and function; no paths, generics or closures.
pub(super) fn short(name: &str, object: &str) -> String {
    let name = bare(name);
    if name.starts_with("0x") {
        return format!("unnamed in {object}");
    }
    if let Some(dropped) = dropped(name) {
        return format!("drop({})", kind(dropped));
    }
    let segments: Vec<&str> = segments(name).into_iter().filter(|segment| !is_noise(segment)).collect();
    let mut names = Vec::new();
    for (at, segment) in segments.into_iter().enumerate() {
        match segment.strip_prefix('<') {
            Some(_) if at == 0 || segment.starts_with("<impl ") => names.push(kind(self_type(segment))),
            // Generics of the segment before.
            Some(_) => {}
            None => names.push(stem(segment).to_owned()),
        }
    }
    match names.as_slice() {
        [.., of, function] if of != "__rustc" => format!("{of}::{function}"),
        [.., function] => plain(function).to_owned(),
        [] => name.to_owned(),
    }
}

/// Who has written a function. What is dropped decides whose a drop is.
pub(super) fn whose(name: &str) -> Whose {
    let name = bare(name);
    if let Some(dropped) = dropped(name) {
        return of_type(dropped);
    }
    let segments = segments(name);
    let [first, _, ..] = segments.as_slice() else {
        return of_libc(name);
    };
    if !first.starts_with('<') {
        return of_path(name);
    }
    let (own, of_trait) = (self_type(first), trait_of(first));
    // A generic parameter says nothing, nor does a reference to one.
    if own.contains("::") { of_path(own.trim_start_matches(['&', '*', '['])) } else { of_path(of_trait) }
}

/// Without the mark of a recursion, the version of a library's symbol and the compiler's hash.
fn bare(name: &str) -> &str {
    let name = name.split_once('\'').filter(|(_, level)| is_number(level)).map_or(name, |(name, _)| name);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once("::h") {
        Some((before, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            before
        }
        _ => name,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a function drops that the compiler has made to drop something.
fn dropped(name: &str) -> Option<&str> {
    let generics = name.strip_prefix(DROP)?.trim_start_matches("::");
    generics.strip_prefix('<')?.strip_suffix('>')
}

/// Splits where the separator stands outside of all brackets.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        if depth == 0 && at >= start && text.as_bytes()[at..].starts_with(separator.as_bytes()) {
            parts.push(&text[start..at]);
            start = at + separator.len();
        }
        match byte {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            // The arrow of a function's type closes nothing.
            b'>' if at > 0 && text.as_bytes()[at - 1] == b'-' => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn segments(path: &str) -> Vec<&str> {
    split(path, "::")
}

/// Closures, shims and unnamed blocks are told with the function that they stand in.
fn is_noise(segment: &str) -> bool {
    segment.is_empty() || segment == "_" || segment.starts_with('{')
}

/// A segment without its generics and the compiler's additions.
fn stem(segment: &str) -> &str {
    segment.split(['<', '{', '[']).next().unwrap_or(segment)
}

/// What stands inside of `<Type>`, `<Type as Trait>`, `<impl Type>` or `<impl Trait for Type>`.
fn inside(segment: &str) -> &str {
    let segment = segment.strip_prefix('<').unwrap_or(segment);
    let segment = segment.strip_suffix('>').unwrap_or(segment);
    segment.strip_prefix("impl ").unwrap_or(segment)
}

fn self_type(segment: &str) -> &str {
    let inside = inside(segment);
    match split(inside, " for ").as_slice() {
        [_, of, ..] => of,
        _ => split(inside, " as ")[0],
    }
}

fn trait_of(segment: &str) -> &str {
    split(inside(segment), " as ").last().copied().unwrap_or_default()
}

/// A type's last name; of the standard library's containers also what is inside of them.
fn kind(of: &str) -> String {
    let of = of.trim_start_matches(['&', '*']);
    let of = ["mut ", "const ", "dyn "].iter().fold(of, |of, word| of.trim_start_matches(word));
    if let Some(inner) = of.strip_prefix('[') {
        return format!("[{}]", kind(split(inner.trim_end_matches(']'), ";")[0]));
    }
    if let Some(inner) = of.strip_prefix('(') {
        let inner = inner.strip_suffix(')').unwrap_or(inner);
        let kinds: Vec<String> = split(inner, ",").into_iter().map(|part| kind(part.trim())).collect();
        return format!("({})", kinds.join(", "));
    }
    let last = segments(of).into_iter().rev().find(|segment| !is_noise(segment) && !segment.starts_with('<'));
    let last = last.unwrap_or(of);
    let name = stem(last);
    let generics = last.strip_prefix(name).and_then(|rest| rest.strip_prefix('<')?.strip_suffix('>'));
    match generics {
        Some(generics) if is_std(of) => format!("{name}<{}>", kind(split(generics, ",")[0].trim())),
        _ => name.to_owned(),
    }
}

fn is_std(path: &str) -> bool {
    matches!(segments(path)[0], "std" | "core" | "alloc")
}

/// Who has written a type: the first in it that is not the standard library.
fn of_type(of: &str) -> Whose {
    let words = of.split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)));
    let mut paths = words.filter(|word| word.contains("::"));
    paths.find(|path| !is_std(path)).map_or(Whose::Rest, of_path)
}

fn of_path(path: &str) -> Whose {
    match stem(segments(path)[0]) {
        "recourse_benches" | "instructions" => Whose::Bench,
        name if name == "recourse" || name.starts_with("recourse_") => Whose::Recourse,
        "tokio" => Whose::Tokio,
        "__rustc" if path.contains("alloc") => Whose::Allocator,
        "alloc" if path.starts_with("alloc::alloc::") => Whose::Allocator,
        "std" | "core" if path.contains("::time::") => Whose::Clock,
        _ => Whose::Rest,
    }
}

/// Who has written a function whose name has no path: libc, or what else speaks C.
fn of_libc(name: &str) -> Whose {
    let name = name.trim_start_matches('_');
    let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    if name.contains("alloc") || begins(&["free", "cfree", "int_free", "tcache", "unlink_chunk"]) {
        Whose::Allocator
    } else if begins(&["clock_gettime", "gettimeofday", "vdso"]) {
        Whose::Clock
    } else {
        Whose::Rest
    }
}

/// A name of libc without the processor's features that one of its versions is for.
fn plain(name: &str) -> &str {
    let marks = ["_avx", "_evex", "_sse", "_ssse", "_erms"];
    let end = marks.iter().filter_map(|mark| name.find(mark)).min();
    end.map_or(name, |end| name[..end].trim_start_matches('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> (String, Whose) {
        (short(name, "libx.so.1"), whose(name))
    }

    #[test]
    fn a_method_is_shown_with_its_type_alone() {
        let names = [
            "recourse::call::owned::Drive<P,T,E,M,F,Fut>::go_on",
            "recourse::call::verdict::<impl recourse::call::engine::Engine>::judge",
            "<recourse::error::Kept as core::ops::drop::Drop>::drop",
            "<recourse_circuit::breaker::Breaker<C> as recourse_core::circuit::CircuitBreaker>::admit",
            "recourse_core::time::Sleeper::timer",
            "recourse::call::recorder::keep",
        ];
        let expected = [
            "Drive::go_on",
            "Engine::judge",
            "Kept::drop",
            "Breaker::admit",
            "Sleeper::timer",
            "recorder::keep",
        ];
        assert_eq!(names.map(shown), expected.map(|name| (name.to_owned(), Whose::Recourse)));
    }

    #[test]
    fn the_timer_is_tokios() {
        let names = [
            "tokio::runtime::time::wheel::Wheel::insert",
            "tokio::runtime::time::<impl tokio::runtime::time::handle::Handle>::reregister",
            "tokio::runtime::time::entry::_::<impl core::ops::drop::Drop for tokio::runtime::time::entry::TimerEntry>::drop",
            "<tokio::time::sleep::Sleep as core::future::future::Future>::poll",
            "core::ptr::drop_in_place<core::option::Option<tokio::runtime::Timer>>",
        ];
        let expected =
            ["Wheel::insert", "Handle::reregister", "TimerEntry::drop", "Sleep::poll", "drop(Option<Timer>)"];
        assert_eq!(names.map(shown), expected.map(|name| (name.to_owned(), Whose::Tokio)));
    }

    #[test]
    fn closures_hashes_generics_and_recursions_are_not_shown() {
        let expected = ("harness::repeat".to_owned(), Whose::Bench);
        for name in [
            "recourse_benches::harness::repeat",
            "recourse_benches::harness::repeat::{{closure}}",
            "recourse_benches::harness::repeat::{{closure}}::h0123456789abcdef",
            "recourse_benches::harness::repeat::<u64, fn(u64) -> u64>::{closure#0}",
            "recourse_benches::harness::repeat'2",
        ] {
            assert_eq!(shown(name), expected, "{name}");
        }
        assert_eq!(shown("tokio::park::Cached::<u64>::wake"), ("Cached::wake".to_owned(), Whose::Tokio));
        assert_eq!(
            shown("core::ops::function::FnOnce::call_once{{vtable.shim}}"),
            ("FnOnce::call_once".to_owned(), Whose::Rest)
        );
    }

    #[test]
    fn a_drop_belongs_to_what_is_dropped() {
        let rest = "core::ptr::drop_in_place<core::option::Option<recourse::call::owned::Rest<u64,recourse_benches::\
            operation::Failed,core::result::Result<u64,recourse::error::Error<recourse_benches::operation::Failed>>>>>";
        assert_eq!(shown(rest), ("drop(Option<Rest>)".to_owned(), Whose::Recourse));
        let pair = "core::ptr::drop_in_place<(core::result::Result<u64,recourse::error::Error<X>>,recourse_core::Timeline)>";
        assert_eq!(shown(pair), ("drop((Result<u64>, Timeline))".to_owned(), Whose::Recourse));
        assert_eq!(
            shown("core::ptr::drop_in_place::<[alloc::string::String]>"),
            ("drop([String])".to_owned(), Whose::Rest)
        );
    }

    #[test]
    fn what_the_machine_charges_stands_apart() {
        let clock = ["<std::time::Instant>::duration_since", "<std::sys::pal::unix::time::Timespec>::now"];
        assert_eq!(clock.map(whose), [Whose::Clock; 2]);
        assert_eq!(shown("clock_gettime@@GLIBC_2.17"), ("clock_gettime".to_owned(), Whose::Clock));
        assert_eq!(shown("_int_free"), ("_int_free".to_owned(), Whose::Allocator));
        assert_eq!(shown("__rustc::__rust_dealloc"), ("__rust_dealloc".to_owned(), Whose::Allocator));
        assert_eq!(shown("__memcpy_avx_unaligned_erms"), ("memcpy".to_owned(), Whose::Rest));
        assert_eq!(shown("0x0000000000003410"), ("unnamed in libx.so.1".to_owned(), Whose::Rest));
    }

    #[test]
    fn an_implementation_for_anything_belongs_to_its_trait() {
        assert_eq!(shown("<F as recourse_core::time::Clock>::now"), ("F::now".to_owned(), Whose::Recourse));
        assert_eq!(shown("<&T as core::fmt::Display>::fmt"), ("T::fmt".to_owned(), Whose::Rest));
        assert_eq!(whose("parking_lot::raw_mutex::RawMutex::lock"), Whose::Rest);
    }

    #[test]
    fn a_name_that_is_no_path_is_shown_as_it_is() {
        assert_eq!(
            ["", "<", "a>b", "::", "{{closure}}"].map(|name| short(name, "")),
            ["", "", "a>b", "::", "{{closure}}"]
        );
    }
}
