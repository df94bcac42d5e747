//! DirectoryService: one table of RPCs over what every noun does alike.

mod calendar;
mod counsellor;
mod hours;
mod place;
mod programme;
mod wire;

use tonic::{Request, Response, Status};

use self::wire::{Within, delete_leave, get};
use super::fields::{keyed, open, open_mutation};
use super::pb;
use super::pb::directory_service_server::{DirectoryService, DirectoryServiceServer};
use super::status::status;
use crate::domain::agreement::Agreement;
use crate::domain::counsellor::{Counsellor, Leave};
use crate::domain::directory::{HolidayCalendar, Organisation, Room, Site, Venue};
use crate::domain::programme::Programme;
use crate::usecase::World;

pub(super) use self::wire::{Wire, create, id_of, list, session_ids, update, wire_fields};

/// The service over a world.
pub fn service(world: World) -> DirectoryServiceServer<Directory> {
    DirectoryServiceServer::new(Directory { world })
}

/// The service.
pub struct Directory {
    world: World,
}

/// What an RPC does, by its verb.
macro_rules! answer {
    (create_affecting $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident) => {
        async {
            let (call, pb, fields) = open_mutation($world, $request)?;
            let (made, affected_session_ids) = create::<$noun>($world, call, fields, pb.$field).await?;
            Ok(pb::$response { $field: Some(made), affected_session_ids })
        }
    };
    (update_affecting $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident) => {
        async {
            let (call, pb, fields) = open_mutation($world, $request)?;
            let (changed, affected_session_ids) =
                update::<$noun>($world, call, fields, pb.$field, pb.update_mask).await?;
            Ok(pb::$response { $field: Some(changed), affected_session_ids })
        }
    };
    (create $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident) => {
        async {
            let (call, pb, fields) = open_mutation($world, $request)?;
            Ok(pb::$response { $field: Some(create::<$noun>($world, call, fields, pb.$field).await?.0) })
        }
    };
    (update $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident) => {
        async {
            let (call, pb, fields) = open_mutation($world, $request)?;
            let (changed, _) = update::<$noun>($world, call, fields, pb.$field, pb.update_mask).await?;
            Ok(pb::$response { $field: Some(changed) })
        }
    };
    (get $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident $id:ident) => {
        async {
            let (call, pb) = open($request)?;
            Ok(pb::$response { $field: Some(get::<$noun>($world, &call, stringify!($id), &pb.$id).await?) })
        }
    };
    (list $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident $($within:ident)?) => {
        async {
            let (call, pb) = open($request)?;
            let within: Within<'_> = [$((stringify!($within), pb.$within.as_str()))?].first().copied();
            let query = { let mut query = pb.clone(); query.page_size = 0; query.page_token.clear(); query };
            let (rows, next_page_token) =
                list::<$noun>($world, &call, within, (pb.page_size, &pb.page_token), &query).await?;
            Ok(pb::$response { $field: rows, next_page_token })
        }
    };
    (get_version $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident $file:ident) => {
        async {
            let (call, pb) = open($request)?;
            Ok(pb::$response { $field: Some($file::get($world, &call, &pb).await?) })
        }
    };
    (list_outlines $world:expr, $request:ident, $response:ident, $noun:ty, ) => {
        async {
            let (call, pb) = open($request)?;
            calendar::page($world, &call, &pb).await
        }
    };
    (delete $world:expr, $request:ident, $response:ident, $noun:ty, $field:ident) => {
        async {
            let (call, pb, fields) = open_mutation($world, $request)?;
            delete_leave($world, call, fields, &pb.$field, &pb.etag).await?;
            Ok(pb::$response {})
        }
    };
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $verb:ident $noun:ident ($($fields:ident)*);)*) => {
        #[tonic::async_trait]
        impl DirectoryService for Directory {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                let world = &self.world;
                answer!($verb world, request, $response, $noun, $($fields)*).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    create_organisation: CreateOrganisationRequest => CreateOrganisationResponse, create Organisation (organisation);
    update_organisation: UpdateOrganisationRequest => UpdateOrganisationResponse, update Organisation (organisation);
    get_organisation: GetOrganisationRequest => GetOrganisationResponse, get Organisation (organisation organisation_id);
    list_organisations: ListOrganisationsRequest => ListOrganisationsResponse, list Organisation (organisations);
    create_agreement: CreateAgreementRequest => CreateAgreementResponse, create Agreement (agreement);
    update_agreement: UpdateAgreementRequest => UpdateAgreementResponse, update_affecting Agreement (agreement);
    get_agreement: GetAgreementRequest => GetAgreementResponse, get Agreement (agreement agreement_id);
    list_agreements: ListAgreementsRequest => ListAgreementsResponse, list Agreement (agreements organisation_id);
    create_site: CreateSiteRequest => CreateSiteResponse, create Site (site);
    update_site: UpdateSiteRequest => UpdateSiteResponse, update_affecting Site (site);
    get_site: GetSiteRequest => GetSiteResponse, get Site (site site_id);
    list_sites: ListSitesRequest => ListSitesResponse, list Site (sites organisation_id);
    create_venue: CreateVenueRequest => CreateVenueResponse, create Venue (venue);
    update_venue: UpdateVenueRequest => UpdateVenueResponse, update_affecting Venue (venue);
    get_venue: GetVenueRequest => GetVenueResponse, get Venue (venue venue_id);
    list_venues: ListVenuesRequest => ListVenuesResponse, list Venue (venues organisation_id);
    create_room: CreateRoomRequest => CreateRoomResponse, create Room (room);
    update_room: UpdateRoomRequest => UpdateRoomResponse, update Room (room);
    get_room: GetRoomRequest => GetRoomResponse, get Room (room room_id);
    list_rooms: ListRoomsRequest => ListRoomsResponse, list Room (rooms venue_id);
    create_counsellor: CreateCounsellorRequest => CreateCounsellorResponse, create Counsellor (counsellor);
    update_counsellor: UpdateCounsellorRequest => UpdateCounsellorResponse, update_affecting Counsellor (counsellor);
    get_counsellor: GetCounsellorRequest => GetCounsellorResponse, get Counsellor (counsellor counsellor_id);
    list_counsellors: ListCounsellorsRequest => ListCounsellorsResponse, list Counsellor (counsellors organisation_id);
    create_leave: CreateLeaveRequest => CreateLeaveResponse, create_affecting Leave (leave);
    delete_leave: DeleteLeaveRequest => DeleteLeaveResponse, delete Leave (leave_id);
    get_leave: GetLeaveRequest => GetLeaveResponse, get Leave (leave leave_id);
    list_leaves: ListLeavesRequest => ListLeavesResponse, list Leave (leaves counsellor_id);
    create_holiday_calendar: CreateHolidayCalendarRequest => CreateHolidayCalendarResponse,
        create HolidayCalendar (holiday_calendar);
    update_holiday_calendar: UpdateHolidayCalendarRequest => UpdateHolidayCalendarResponse,
        update_affecting HolidayCalendar (holiday_calendar);
    get_holiday_calendar: GetHolidayCalendarRequest => GetHolidayCalendarResponse,
        get_version HolidayCalendar (holiday_calendar calendar);
    list_holiday_calendars: ListHolidayCalendarsRequest => ListHolidayCalendarsResponse,
        list_outlines HolidayCalendar ();
    create_programme: CreateProgrammeRequest => CreateProgrammeResponse, create Programme (programme);
    update_programme: UpdateProgrammeRequest => UpdateProgrammeResponse, update Programme (programme);
    get_programme: GetProgrammeRequest => GetProgrammeResponse, get_version Programme (programme programme);
    list_programmes: ListProgrammesRequest => ListProgrammesResponse, list Programme (programmes organisation_id);
}

keyed!(
    CreateOrganisationRequest,
    UpdateOrganisationRequest,
    CreateAgreementRequest,
    UpdateAgreementRequest,
    CreateSiteRequest,
    UpdateSiteRequest,
    CreateVenueRequest,
    UpdateVenueRequest,
    CreateRoomRequest,
    UpdateRoomRequest,
    CreateCounsellorRequest,
    UpdateCounsellorRequest,
    CreateLeaveRequest,
    DeleteLeaveRequest,
    CreateHolidayCalendarRequest,
    UpdateHolidayCalendarRequest,
    CreateProgrammeRequest,
    UpdateProgrammeRequest,
);
