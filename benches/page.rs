//! A version's page, its session checked each time, beside an empty handler of the same server in the same run:
//! 16 connections that ask again as soon as they are answered. `cargo bench --bench page`.

#![allow(missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::{App, HttpServer, web};
use sopledger::app::{Shared, server};
use sopledger::demo::{self, Seeding};
use sopledger::ledger::folder::Folder;
use sopledger::store::Target;
use sopledger::time::Clock;

const CONNECTIONS: usize = 16;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;
const PASSWORD: &str = "bench password 42";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let place = sopledger::ledger::site::Place {
        target: Target::Sqlite(Folder::new(folder.path()).database()),
        folder: Folder::new(folder.path()),
        clock: Clock::System,
        zone: chrono_tz::Asia::Shanghai,
    };
    let today = place.clock.now().date_in(place.zone);
    demo::seed(&place, &Seeding { password: PASSWORD, today, most: None }).unwrap();
    let ours = serve(Shared::new(place.open(true).unwrap()));
    let empty = serve_empty();
    let cookie = sign_in(ours);
    let page = format!(
        "GET /documents/SOP-CS-005/2.0 HTTP/1.1\r\nHost: {ours}\r\nAccept: text/html\r\nCookie: session={cookie}\r\n\r\n"
    );
    let nothing = format!("GET / HTTP/1.1\r\nHost: {empty}\r\n\r\n");
    let (mut rates, mut empties, mut tails, mut size) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let measured = load(ours, &page);
        size = measured.size;
        rates.push(measured.rate);
        tails.push(measured.p99);
        empties.push(load(empty, &nothing).rate);
    }
    let (rate, empty, p99) = (median(rates), median(empties), median(tails));
    println!("Version's page ({size} bytes), {CONNECTIONS} connections");
    println!("  empty handler   {empty:>9.0}/s");
    println!("  version's page  {rate:>9.0}/s   {:.3} of empty", rate / empty);
    println!("  p99             {p99:>9.2} ms");
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn serve(shared: Shared) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        actix_web::rt::System::new()
            .block_on(async move { server(&shared, listener, 2).unwrap().await.unwrap() });
    });
    address
}

fn serve_empty() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            HttpServer::new(|| App::new().route("/", web::get().to(actix_web::HttpResponse::Ok)))
                .workers(2)
                .listen(listener)
                .unwrap()
                .run()
                .await
                .unwrap();
        });
    });
    address
}

fn sign_in(address: SocketAddr) -> String {
    let body = format!(r#"{{"login":"qa","password":"{PASSWORD}"}}"#);
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /login HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, rest) = answer.split_once(r#""token":""#).expect("qa signs in");
    rest.split_once('"').unwrap().0.to_owned()
}

struct Measured {
    rate: f64,
    p99: f64,
    size: usize,
}

fn load(address: SocketAddr, request: &str) -> Measured {
    let waits = Mutex::new(Vec::new());
    let size = Mutex::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut reader = BufReader::with_capacity(64 << 10, stream.try_clone().unwrap());
                let (mut stream, mut own, mut body) = (stream, Vec::new(), Vec::new());
                while began.elapsed() < ROUND {
                    let asked = Instant::now();
                    stream.write_all(request.as_bytes()).unwrap();
                    read_answer(&mut reader, &mut body);
                    own.push(asked.elapsed().as_secs_f64() * 1000.0);
                }
                *size.lock().unwrap() = body.len();
                waits.lock().unwrap().extend(own);
            });
        }
    });
    let mut waits = waits.into_inner().unwrap();
    waits.sort_by(f64::total_cmp);
    Measured {
        rate: waits.len() as f64 / began.elapsed().as_secs_f64(),
        p99: waits[waits.len() * 99 / 100],
        size: size.into_inner().unwrap(),
    }
}

fn read_answer(reader: &mut impl BufRead, body: &mut Vec<u8>) {
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).unwrap();
    assert!(line.contains(" 200 "), "{line}");
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    body.resize(length, 0);
    reader.read_exact(body).unwrap();
}
