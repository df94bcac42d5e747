use std::sync::Arc;

use uuid::Uuid;

use super::*;

fn id(number: u128) -> OrganisationId {
    OrganisationId(Uuid::from_u128(number))
}

fn keep(kept: &mut Kept, number: u128, holidays: u32) {
    kept.keep(Arc::new(Directory::with_holidays(id(number), holidays)), 3, 100);
}

fn numbers(kept: &Kept) -> Vec<u128> {
    kept.directories.keys().map(|it| it.0.as_u128()).collect()
}

#[test]
fn what_was_not_used_for_the_longest_time_goes_first() {
    let memory = Memory::default();
    for number in 1..=3 {
        keep(&mut memory.kept(), number, 0);
    }
    assert!(memory.find(id(1)).is_some());
    keep(&mut memory.kept(), 4, 0);
    assert_eq!(numbers(&memory.kept()), [1, 3, 4]);
}

#[test]
fn large_directories_leave_less_room() {
    let mut kept = Kept::default();
    for number in 1..=2 {
        keep(&mut kept, number, 40);
    }
    keep(&mut kept, 3, 60);
    assert_eq!(numbers(&kept), [3]);
    // One that was read again counts once, and one that is too large for all of it is not kept.
    keep(&mut kept, 3, 60);
    assert_eq!((numbers(&kept), kept.rows), (vec![3], 61));
    keep(&mut kept, 4, 100);
    assert_eq!((numbers(&kept), kept.rows), (vec![], 0));
}
