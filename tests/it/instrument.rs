//! Instruments: what there is, what an installation adds, and what it cannot.

use aftercare::domain::access::Authority;
use aftercare::domain::text::Code as DomainCode;
use aftercare::grpc::pb;
use tonic::{Code, Status};

use crate::attendance::clinical_lead;
use crate::on_both_engines;
use crate::process::{aftercare, text};
use crate::support::{Actor, Engine, Ngo, TestApp, refused};

/// A fictional instrument.
pub const MOOD: &str = include_str!("instrument/mood.toml");

pub async fn instruments(actor: &Actor, age: Option<i32>) -> Result<Vec<pb::Instrument>, Status> {
    let request = pb::ListInstrumentsRequest { age };
    Ok(actor.follow_up().list_instruments(request).await?.into_inner().instruments)
}

fn codes(all: &[pb::Instrument]) -> Vec<&str> {
    all.iter().map(|it| it.code.as_str()).collect()
}

on_both_engines! {
    async fn carers_see_what_there_is(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let all = instruments(&ngo.coordinator, None).await.unwrap();
        assert_eq!(
            codes(&all),
            ["CATS_2", "CPSS_5", "CRIES_13", "CRIES_8", "GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9", "PHQ_A", "SDQ"]
        );
        assert_eq!(instruments(&ngo.as_counsellor(&app, &counsellor), None).await.unwrap(), all);
        assert_eq!(instruments(&clinical_lead(&app, &ngo), None).await.unwrap(), all);
        let police = Authority::Police { jurisdiction: DomainCode::parse("KL-TVM").unwrap() };
        for actor in [app.actor(police), app.actor(Authority::Auditor)] {
            assert_eq!(instruments(&actor, None).await.unwrap_err().code(), Code::PermissionDenied);
        }
        let find = |code: &str| all.iter().find(|it| it.code == code).unwrap().clone();
        // Text only where it may be reproduced; else labels.
        for it in &all {
            assert_eq!(it.text_reproduced, ["GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9"].contains(&it.code.as_str()));
            let labelled = it.items.iter().all(|item| item.text == format!("item {}", item.number));
            assert!(it.text_reproduced != labelled || it.code == "SDQ", "{}", it.code);
            assert!(it.text_reproduced || it.items.iter().all(|item| item.answers.is_empty()), "{}", it.code);
        }
        let pcl = find("PCL_5");
        assert_eq!((pcl.items.len(), pcl.least_total, pcl.most_total, pcl.least_days_apart), (20, 0, 80, 28));
        assert_eq!(pcl.recalls.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["MONTH", "WEEK"]);
        assert_eq!(pcl.items.iter().filter(|it| it.risk).map(|it| it.number).collect::<Vec<_>>(), [16]);
        assert_eq!(pcl.items[0].answers.len(), pcl.items[0].values.len());
        assert_eq!((pcl.cut_offs.len(), pcl.cut_offs[0].at_least, pcl.cut_offs[0].population.as_str()), (2, 31, ""));
        assert!(pcl.bands.is_empty() && pcl.used_for_change && !pcl.gate);
        let cries = find("CRIES_8");
        assert_eq!(cries.items[7].values, [0, 1, 3, 5]);
        assert_eq!(cries.scales[0].items, [1, 3, 6, 7]);
        let cats = find("CATS_2");
        assert_eq!((cats.items.len(), cats.most_total), (30, 60));
        assert_eq!(cats.scales[2].items, [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
        assert_eq!(cats.items.iter().filter(|it| it.risk).map(|it| it.number).collect::<Vec<_>>(), [21]);
        let who: Vec<_> = find("SDQ").informants.iter().map(|it| (it.informant, it.youngest, it.oldest)).collect();
        assert_eq!(who, [(1, 11, 17), (2, 4, 17)]);
        let screen = find("PC_PTSD_5");
        assert!(screen.gate && !screen.used_for_change && screen.gate_text.contains("Have you ever experienced"));
        // By age, whoever answers.
        let at = async |age| instruments(&ngo.coordinator, Some(age)).await.unwrap();
        assert!(at(3).await.is_empty());
        assert_eq!(codes(&at(7).await), ["CATS_2", "SDQ"]);
        assert_eq!(codes(&at(18).await), ["CPSS_5", "CRIES_13", "CRIES_8", "GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9"]);
        let wrong = instruments(&ngo.coordinator, Some(-1)).await.unwrap_err();
        assert_eq!(refused(&wrong).items, ["age"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_added_is_listed() {
    let newer = MOOD.replace("version = \"1\"", "version = \"2\"").replace("Fictional", "Newer fictional");
    // Only what is called so is a questionnaire.
    let files = [("b.toml", newer.as_str()), ("a.toml", MOOD), ("notes.txt", "nothing")];
    let app = TestApp::start_with_instruments(Engine::Sqlite, &files).await;
    let ngo = Ngo::new(&app, "A").await;
    let all = instruments(&ngo.coordinator, None).await.unwrap();
    let mood = all.iter().find(|it| it.code == "MOOD_3").unwrap();
    assert_eq!((all.len(), mood.version.as_str(), mood.title.as_str()), (11, "2", "Newer fictional mood scale"));
    assert_eq!(mood.cut_offs[0].population, "en-IN");
    assert_eq!(mood.items.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["Cheerful", "Calm", "Rested"]);
}

#[test]
fn what_is_no_instrument_stops_the_start_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let added = directory.path().join("added");
    let migrate = |added: &std::path::Path| {
        let output = aftercare(directory.path()).arg("serve").arg("--instruments").arg(added).output().unwrap();
        assert!(!output.status.success());
        text(&output)
    };
    assert!(migrate(&added).contains("cannot add the instruments: cannot read"));
    std::fs::create_dir(&added).unwrap();
    let file = added.join("mood.toml");
    std::fs::write(&file, MOOD.replace("least_answered = 2", "least_answered = 9")).unwrap();
    let says = migrate(&added);
    let named = format!("{} is no instrument: least_answered must be from 1 to 3", file.display());
    assert!(says.contains("cannot add the instruments") && says.contains(&named), "{says}");
    std::fs::write(&file, MOOD.replace("least_answered", "lest_answered")).unwrap();
    let says = migrate(&added);
    assert!(says.contains("unknown field `lest_answered`") && says.contains("line "), "{says}");
    std::fs::write(&file, MOOD.replace("MOOD_3", "PHQ_9").replace("version = \"1\"", "version = \"1999\"")).unwrap();
    assert!(migrate(&added).contains("PHQ_9 exists in version 1999"));
}
