//! Plans: made, read, changed and closed, and the days that follow from what is known.

use std::collections::BTreeMap;

use aftercare::grpc::pb;
use aftercare::grpc::pb::MilestoneStatus as Status;
use tonic::Code;

use crate::on_both_engines;
use crate::support::followup::{clinical_lead, enrol, enrolled, enrolled_with, enrolling, plan_of};
use crate::support::{Ngo, TestApp, date, refused};

on_both_engines! {
    async fn a_plan_has_the_milestones_of_its_template(app) {
        let it = enrolled(&app).await;
        let plan = it.plan().await;
        assert_eq!((plan.plan.template.as_str(), plan.plan.template_version), ("SURVIVOR_STANDARD", 1));
        assert_eq!((plan.plan.planned_sessions, plan.plan.zone.as_str()), (12, "Asia/Kolkata"));
        assert_eq!(plan.days("BASELINE"), ["2026-01-05", "2026-01-05", "2026-01-12"]);
        assert_eq!(plan.days("MONITOR_2W"), ["2026-01-16", "2026-01-19", "2026-01-26"]);
        assert_eq!(plan.days("MONITOR_1M"), ["2026-01-29", "2026-02-05", "2026-02-19"]);
        for code in ["MID", "END", "FU_1M", "FU_3M", "FU_6M", "FU_12M"] {
            assert_eq!(plan.days(code), ["", "", ""], "{code}");
        }
        let not_due = |code| (code, Status::NotDue);
        let open = BTreeMap::from([("BASELINE", Status::Open)]);
        let others = ["MONITOR_2W", "MONITOR_1M", "MID", "END", "FU_1M", "FU_3M", "FU_6M", "FU_12M"].map(not_due);
        assert_eq!(plan.statuses(), open.into_iter().chain(others).collect());
        assert_eq!(plan.instruments("BASELINE"), ["GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9"]);
        assert_eq!(plan.instruments("MONITOR_2W"), ["PC_PTSD_5"]);
        assert_eq!(plan.instruments("FU_1M"), ["PCL_5", "PHQ_9"]);
        assert_eq!(plan.instruments("MID"), ["PCL_5"]);
    }
}
