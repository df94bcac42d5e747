"""Books a session the way a client without our code would: stubs from proto/, nothing of tonic.

    AFTERCARE_TOKEN=… book.py ADDRESS CLIENT_ID

Prints, as JSON, what the service answered. tests/it/foreign.rs reads it.
"""

import json
import os
import pathlib
import sys
import tempfile
import uuid

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def generate(out):
    """Makes the stubs; google.type and google.rpc come with grpcio-status."""
    well_known = pathlib.Path(protoc.__file__).parent / "_proto"
    ours = sorted(str(path) for path in PROTO.glob("aftercare/v1/*.proto"))
    options = [f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(["protoc", *options, *ours]) != 0:
        sys.exit("the stubs cannot be generated")
    sys.path.insert(0, out)


def detail(status, kind):
    """The detail of this kind in a rich error."""
    found = kind()
    if not any(packed.Unpack(found) for packed in status.details):
        sys.exit(f"the error has no {kind.DESCRIPTOR.full_name}")
    return found


def main(address, client_id):
    from aftercare.v1 import scheduling_pb2, scheduling_pb2_grpc, types_pb2

    metadata = [("authorization", f"Bearer {os.environ['AFTERCARE_TOKEN']}")]
    with grpc.insecure_channel(address) as channel:
        scheduling = scheduling_pb2_grpc.SchedulingServiceStub(channel)

        wanted = {
            "client_id": client_id,
            "service": types_pb2.CARE_SERVICE_COUNSELLING,
            "modality": types_pb2.MODALITY_IN_PERSON,
            "length": Duration(seconds=3600),
        }
        found = scheduling.FindSlots(scheduling_pb2.FindSlotsRequest(**wanted), metadata=metadata, timeout=10)
        slot = found.slots[0]

        def booking():
            return scheduling_pb2.BookSessionRequest(
                request_id=str(uuid.uuid4()),
                counsellor_id=slot.counsellor_id,
                venue_id=slot.venue_id,
                room_id=slot.room_id,
                starts_at=slot.starts_at,
                **wanted,
            )

        request = booking()
        first = scheduling.BookSession(request, metadata=metadata, timeout=10).session
        again = scheduling.BookSession(request, metadata=metadata, timeout=10).session
        try:
            scheduling.BookSession(booking(), metadata=metadata, timeout=10)
            sys.exit("the same hour was booked twice")
        except grpc.RpcError as error:
            code, status = error.code(), rpc_status.from_call(error)

    refusal = detail(status, error_details_pb2.PreconditionFailure)
    info = detail(status, error_details_pb2.ErrorInfo)
    alternatives = detail(status, types_pb2.BookingAlternatives)
    answer = {
        "slots": len(found.slots),
        "session": first.id,
        "session_again": again.id,
        "local_start": first.local_start,
        "refusal": {
            "code": code.name,
            "reason": info.reason,
            "domain": info.domain,
            "rules": [violation.type for violation in refusal.violations],
            "alternatives": len(alternatives.slots),
        },
    }
    print(json.dumps(answer))


with tempfile.TemporaryDirectory() as stubs:
    generate(stubs)
    main(*sys.argv[1:])
