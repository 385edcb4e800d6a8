//! Goal: what goes beyond a limit of the address space, the table or the process is an error that names the limit, and leaves
//! the residents as they were. Method: residents that are nearly full.

use super::{PlaceError, place};
use crate::compare::compare;
use crate::compare::tests::{module, with_functions};
use crate::image::debug::tests::craft::Craft;
use crate::image::read;
use crate::limits::{GENERATIONS_MAX, IMAGE_AREA_BYTES, TABLE_SLOTS_MAX};
use crate::residents::{Resident, Residents};
use crate::verify::Permit;

/// Links the module with residents of whom nothing is known but what `fill` says.
fn linked(bytes: &[u8], fill: impl FnOnce(&mut Residents)) -> Result<Residents, PlaceError> {
    let comparison = compare(&Residents::new(), None, read(bytes).unwrap());
    let mut residents = Residents::new();
    residents.generations.push(Resident::default());
    fill(&mut residents);
    let before = (residents.generation_count(), residents.table_size(), residents.image_end());
    let placed = place(&mut residents, Permit { comparison });
    if placed.is_err() {
        assert_eq!(before, (residents.generation_count(), residents.table_size(), residents.image_end()));
    }
    placed.map(|_| residents)
}

fn limit_of(result: Result<Residents, PlaceError>) -> Option<&'static str> {
    match result {
        Err(PlaceError::BeyondLimit { limit_name, .. }) => Some(limit_name),
        Err(other) if other.to_string().contains("IMAGE_AREA_BYTES") => Some("IMAGE_AREA_BYTES"),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

fn nothing() -> Craft {
    let mut debug = Craft::new();
    debug.end();
    debug
}

#[test]
fn the_image_area_ends() {
    let bytes = module(64, &nothing());
    let with = |left: u32| limit_of(linked(&bytes, |residents| residents.next_address = IMAGE_AREA_BYTES - left));
    assert_eq!(with(64), None);
    assert_eq!(with(63), Some("IMAGE_AREA_BYTES"));
}

#[test]
fn the_table_ends() {
    let bytes = with_functions(&["f", "g"], 16, &nothing());
    let with = |left: u32| {
        let fill = |residents: &mut Residents| {
            residents.next_address = 4096;
            residents.slots = (1..TABLE_SLOTS_MAX - left).map(|slot| (slot.to_string().into(), slot)).collect();
        };
        limit_of(linked(&bytes, fill))
    };
    assert_eq!(with(2), None);
    assert_eq!(with(1), Some("TABLE_SLOTS_MAX"));
}

#[test]
fn generations_are_counted() {
    let bytes = module(16, &nothing());
    let with = |count: u32| {
        let fill = |residents: &mut Residents| {
            residents.next_address = 4096;
            residents.generations.resize_with(count as usize, Resident::default);
        };
        limit_of(linked(&bytes, fill))
    };
    assert_eq!(with(GENERATIONS_MAX - 1), None);
    assert_eq!(with(GENERATIONS_MAX), Some("GENERATIONS_MAX"));
}
