//! The directory.

use aftercare::domain::access::Role;
use aftercare::grpc::pb;

use super::recipes;
use crate::support::at;

recipes! { "DirectoryService", |it, role|
    CreateOrganisation CreateOrganisationRequest Open {
        organisation: Some(pb::Organisation {
            code: "NEW".into(),
            name: "Example Trust".into(),
            kind: pb::OrganisationKind::Ngo.into(),
            district: "KL-TVM".into(),
            ..Default::default()
        }),
    }
    UpdateOrganisation UpdateOrganisationRequest Organisation { organisation: Some(it.organisation.clone()) }
    GetOrganisation GetOrganisationRequest Organisation { organisation_id: it.ngo.id.clone() }
    ListOrganisations ListOrganisationsRequest Directory {}
    CreateAgreement CreateAgreementRequest Organisation {
        agreement: Some(pb::Agreement { code: "MOU-2".into(), ..it.agreement.clone() }),
    }
    UpdateAgreement UpdateAgreementRequest Organisation { agreement: Some(it.agreement.clone()) }
    GetAgreement GetAgreementRequest Organisation { agreement_id: it.agreement.id.clone() }
    ListAgreements ListAgreementsRequest Organisation { organisation_id: it.ngo.id.clone() }
    CreateSite CreateSiteRequest Organisation { site: Some(pb::Site { code: "SITE-9".into(), ..it.ngo.site.clone() }) }
    UpdateSite UpdateSiteRequest Organisation { site: Some(it.ngo.site.clone()) }
    GetSite GetSiteRequest Organisation { site_id: it.ngo.site.id.clone() }
    ListSites ListSitesRequest Organisation { organisation_id: it.ngo.id.clone() }
    CreateVenue CreateVenueRequest Organisation {
        venue: Some(pb::Venue { code: "VENUE-9".into(), ..it.ngo.venue.clone() }),
    }
    UpdateVenue UpdateVenueRequest Organisation { venue: Some(it.ngo.venue.clone()) }
    GetVenue GetVenueRequest Organisation { venue_id: it.ngo.venue.id.clone() }
    ListVenues ListVenuesRequest Organisation { organisation_id: it.ngo.id.clone() }
    CreateRoom CreateRoomRequest Organisation { room: Some(pb::Room { code: "R9".into(), ..it.room.clone() }) }
    UpdateRoom UpdateRoomRequest Organisation { room: Some(it.room.clone()) }
    GetRoom GetRoomRequest Organisation { room_id: it.room.id.clone() }
    ListRooms ListRoomsRequest Organisation { venue_id: it.ngo.venue.id.clone() }
    CreateCounsellor CreateCounsellorRequest Organisation {
        counsellor: Some(pb::Counsellor { code: "C9".into(), ..it.counsellor.clone() }),
    }
    UpdateCounsellor UpdateCounsellorRequest Organisation { counsellor: Some(it.colleague.clone()) }
    GetCounsellor GetCounsellorRequest Organisation { counsellor_id: it.counsellor.id.clone() }
    ListCounsellors ListCounsellorsRequest Organisation { organisation_id: it.ngo.id.clone() }
    CreateLeave CreateLeaveRequest Organisation {
        leave: Some(pb::Leave {
            counsellor_id: it.colleague.id.clone(),
            starts_at: at("2027-01-04T00:00:00Z"),
            ends_at: at("2027-01-05T00:00:00Z"),
            ..Default::default()
        }),
    }
    DeleteLeave DeleteLeaveRequest Organisation {
        leave_id: it.leaves[usize::from(role == Role::Admin)].id.clone(),
        etag: it.leaves[0].etag.clone(),
    }
    GetLeave GetLeaveRequest Organisation { leave_id: it.leaves[0].id.clone() }
    ListLeaves ListLeavesRequest Organisation { counsellor_id: it.colleague.id.clone() }
    CreateHolidayCalendar CreateHolidayCalendarRequest Organisation {
        holiday_calendar: Some(pb::HolidayCalendar { code: "H-9".into(), ..it.holiday_calendar.clone() }),
    }
    UpdateHolidayCalendar UpdateHolidayCalendarRequest Organisation {
        holiday_calendar: Some(it.holiday_calendar.clone()),
    }
    GetHolidayCalendar GetHolidayCalendarRequest Organisation {
        holiday_calendar_id: it.holiday_calendar.id.clone(),
    }
    ListHolidayCalendars ListHolidayCalendarsRequest Organisation { organisation_id: it.ngo.id.clone() }
    CreateProgramme CreateProgrammeRequest Organisation {
        programme: Some(pb::Programme { code: "P-9".into(), ..it.programme.clone() }),
    }
    UpdateProgramme UpdateProgrammeRequest Organisation { programme: Some(it.programme.clone()) }
    GetProgramme GetProgrammeRequest Organisation { programme_id: it.programme.id.clone() }
    ListProgrammes ListProgrammesRequest Organisation { organisation_id: it.ngo.id.clone() }
}
