//! The plan comes back as it was, and damage is told.

use super::*;

fn star(name: &str, members: Vec<usize>) -> Star {
    Star {
        designation: name.to_owned(),
        ra_deg: 1.0 / 3.0,
        dec_deg: -0.1,
        names: Default::default(),
        members,
    }
}

/// Two units of three files, whose indices are mixed.
fn plan() -> Plan {
    let unit = |planid: &str, stars| Unit {
        planid: planid.to_owned(),
        spid: 7,
        stars,
    };
    Plan {
        paths: ["c", "a", "b"].map(PathBuf::from).to_vec(),
        contents: [&b"third"[..], b"first", b"second"]
            .map(Content::of)
            .to_vec(),
        rejected: vec![Rejection::file(
            Path::new("x"),
            RejectReason::NotFits,
            "why",
        )],
        n_files: 4,
        n_moved: 1,
        units: vec![
            unit(
                "P",
                vec![(1, star("J1", vec![1])), (3, star("J3", vec![0]))],
            ),
            unit("Q", vec![(2, star("J2", vec![2]))]),
        ],
        ..Plan::default()
    }
}

fn kept() -> (tempfile::TempDir, PlanHead) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(STATE_DIR)).unwrap();
    let mut settings = Map::new();
    settings.insert("vmax".to_owned(), 500.0.into());
    let head = write(dir.path(), &plan(), &settings, "").unwrap();
    (dir, head)
}

/// Names of the stars of each unit with their files.
fn told(plan: &Plan) -> Vec<Vec<(i64, String, Vec<&PathBuf>)>> {
    let star = |(number, star): &(i64, Star)| {
        let files = star.members.iter().map(|m| &plan.paths[*m]);
        (*number, star.designation.clone(), files.collect())
    };
    let units = plan.units.iter();
    units.map(|u| u.stars.iter().map(star).collect()).collect()
}

#[test]
fn the_whole_and_every_unit_come_back() {
    let (dir, head) = kept();
    assert_eq!(read(dir.path()).unwrap().unwrap(), head);
    let whole = head.plan(dir.path(), |_| true).unwrap();
    assert_eq!(told(&whole), told(&plan()));
    assert_eq!(whole.rejected.len(), 1);
    assert_eq!((whole.n_files, whole.n_moved), (4, 1));
    let some = head.plan(dir.path(), |i| i == 1).unwrap();
    assert_eq!((some.units.len(), some.paths.len()), (2, 1));
    assert_eq!(told(&some)[1], told(&plan())[1]);
    let files = head.files(dir.path()).unwrap();
    assert_eq!(files[2], (Content::of(b"second"), PathBuf::from("b")));
}

#[test]
fn what_is_kept_is_not_written_again_and_older_units_go() {
    let (dir, head) = kept();
    let body = dir.path().join(STATE_DIR).join(&head.body);
    let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = time(&body);
    write(dir.path(), &plan(), &head.settings, "").unwrap();
    assert_eq!(time(&body), before);
    let mut other = plan();
    other.contents[1] = Content::of(b"changed");
    let other = write(dir.path(), &other, &head.settings, "").unwrap();
    assert!(!body.exists());
    assert_ne!(other.units[0].fingerprint, head.units[0].fingerprint);
    assert_eq!(other.units[1].fingerprint, head.units[1].fingerprint);
}

#[test]
fn damage_is_told_and_nothing_is_no_plan() {
    let (dir, head) = kept();
    let state = dir.path().join(STATE_DIR);
    for name in [HEAD, &head.body] {
        let path = state.join(name);
        let good = fs::read(&path).unwrap();
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 2;
            fs::write(&path, &bad).unwrap();
            let whole = read(dir.path()).and_then(|head| match head {
                Some(head) => head.plan(dir.path(), |_| true),
                None => Ok(Plan::default()),
            });
            assert!(whole.is_err(), "{name}, byte {at}");
        }
        fs::write(&path, &good).unwrap();
    }
    fs::remove_file(state.join(HEAD)).unwrap();
    assert_eq!(read(dir.path()).unwrap(), None);
    let error = expect(dir.path()).unwrap_err().to_string();
    assert!(error.contains("relrv plan"), "{error}");
}
